"""Signing and encrypting whole messages: DKIM, S/MIME, PGP/MIME. No network; gpg is the only program that is run."""
