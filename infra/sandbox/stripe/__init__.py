"""Stripe's HTTP API, as far as a marketplace uses it, with money that is not real. `server.py` starts it."""
