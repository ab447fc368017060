"""What fields do: the context of an operation, loaders, and thin functions that call one domain service each."""
