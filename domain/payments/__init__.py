"""Payments: what is asked for an order, given back, and heard of from whoever moves the money."""
