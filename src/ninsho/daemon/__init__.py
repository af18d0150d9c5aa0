"""The server: connections, listeners, configuration and the journal. Sockets, clock and event loop live here."""
