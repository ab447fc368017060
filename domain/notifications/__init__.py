"""What users are told of by mail."""
