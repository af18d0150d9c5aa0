"""OREORE, "my very own": whoever says a name is that user. A mechanism in ten lines, for trying things out."""

from ninsho import Challenge, Dialogue, Granted, Identity, mechanism


@mechanism("OREORE", plaintext=True)
def oreore(response: bytes | None) -> Dialogue:
    if response is None:
        response = yield from Challenge(b"")
    return Granted(Identity(response.decode()))
