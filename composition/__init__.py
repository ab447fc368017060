"""The composition root: settings -> adapters -> domain services, a file a concern. Gateways, workers and commands take what they need."""
