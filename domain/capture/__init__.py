"""Change data capture: what changed in the database, for those who keep something in step with it."""
