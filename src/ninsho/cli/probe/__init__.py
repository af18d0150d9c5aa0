"""Looking at a mail server: what it offers, whom it lets in, and what is wrong with it."""
