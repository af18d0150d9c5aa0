"""Bearer tokens: what one says, and whether its issuer stands by it. No mechanism, no account."""
