"""Sending mail: a message written from options, or messages given whole, through any server."""
