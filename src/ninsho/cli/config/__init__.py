"""The configuration looked at: what it says, and whether it can work."""
