"""Finding products by what is said of them: the query, the index and its upkeep."""
