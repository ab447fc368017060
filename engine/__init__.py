"""How an operation runs: documents, execution, answers. Knows GraphQL and nothing of shops."""
