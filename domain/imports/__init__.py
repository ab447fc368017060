"""Imports: what a shop kept elsewhere, told in our terms. Pure rules; files and tables are behind ports."""
