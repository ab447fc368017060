"""What the public is shown of an entity, rendered once to bytes and kept until it changes."""
