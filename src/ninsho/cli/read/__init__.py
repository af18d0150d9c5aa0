"""``ninsho read``: a message shown decoded, its files saved, and whether it is a bounce."""
