"""The demo marketplace: a Japanese shop made from word lists and a seed, the same on every machine."""
