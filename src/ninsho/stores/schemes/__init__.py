"""Stored password forms: a class for each family, a line of the table for each scheme; no accounts, no threads."""
