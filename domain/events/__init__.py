"""How events get from the outbox to those who act on them: at least once, and acted on once."""
