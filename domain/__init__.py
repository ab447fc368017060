"""The business: one package a module. Imports the standard library and itself, nothing else."""
