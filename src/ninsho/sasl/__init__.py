"""SASL mechanisms, both sides of each in one file; no I/O, no clock, no event loop."""
