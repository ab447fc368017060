"""Redis (or Valkey), in front of slower stores."""
