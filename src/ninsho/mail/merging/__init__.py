"""One template and many recipients: each row becomes a message of its own; what is alike is encoded once."""
