"""Real PostgreSQL, Valkey and an AWS emulator as child processes, from wheels alone. Knows nothing of the business."""
