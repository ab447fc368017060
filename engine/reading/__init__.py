"""What a client sent as a document: found, parsed, held to its limits and priced."""
