"""The commands of `torii` beyond cli.py: what each group does, and how long work is shown."""
