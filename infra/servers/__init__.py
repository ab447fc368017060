"""The servers of production, or their vendors' own test servers, built from Java and Go for contract tests."""
