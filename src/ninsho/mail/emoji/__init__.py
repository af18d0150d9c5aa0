"""Emoji of Japan's carriers: private-use characters, Unicode's, the octets of handsets; no message is built here."""
