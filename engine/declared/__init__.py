"""What the fields and types of a schema declare, for whoever runs, prices or checks operations."""
