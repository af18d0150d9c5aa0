"""Submitting mail: SMTP as flows, and the two clients that drive them. Nothing of the server half is used here."""
