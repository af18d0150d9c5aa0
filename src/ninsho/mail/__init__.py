"""Messages: what is to be sent, to whom, made fit for a server. No sockets and no clock; files are read."""
