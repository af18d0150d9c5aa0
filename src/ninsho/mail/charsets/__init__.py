"""Characters and octets: charsets by their MIME names, Japanese ones as mail has them. No fields, no MIME parts."""
