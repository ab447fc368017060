"""The search port on OpenSearch, with Japanese analysis by its kuromoji and ICU plugins."""
