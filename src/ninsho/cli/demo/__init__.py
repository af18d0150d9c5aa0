"""A demonstration that checks what it shows."""
