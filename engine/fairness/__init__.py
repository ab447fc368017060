"""Who may do how much, and who waits for whom."""
