"""Engines beside each other, in memory: the same feed on the same rows."""
