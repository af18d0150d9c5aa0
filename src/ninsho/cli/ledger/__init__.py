"""``ninsho ledger``: what became of mail to many; it sends nothing."""
