"""A first configuration, made for the machine it is on."""
