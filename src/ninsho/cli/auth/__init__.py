"""Trying a login: against a running server, or against the stores themselves."""
