"""Pictures of the demo marketplace, drawn and not stored."""
