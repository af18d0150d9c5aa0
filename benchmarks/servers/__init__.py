"""The servers under measurement: each on a unix socket in a directory of its own, and ended by its process id."""
