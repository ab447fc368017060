"""The search port on an embedded tantivy index, with Japanese analysis by SudachiPy."""
