"""What of each value somebody is going to look at, so that no more is read than that."""

Needs = frozenset[str] | None
"""Names of attributes, properties among them; None where all may be looked at.

A value that was read by its needs has those attributes, and what it is found by; any other raises AttributeError.
"""
