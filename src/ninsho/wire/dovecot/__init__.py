"""The Dovecot authentication protocol: requests (client to server) and replies (server to client), read and written.

The mail server is the protocol's client; the end user, behind it, controls no more than the mechanism's name and the
base64 data of a request.
"""
