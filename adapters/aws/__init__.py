"""AWS: sessions, clients, and how their failures are named."""
