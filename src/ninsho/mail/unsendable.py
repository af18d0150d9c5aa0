"""What cannot be sent as it was asked, found before the server hears of it."""

from ninsho.errors import ClientError


class Unsendable(ClientError):
    """A message, its envelope or its options cannot be sent to this server; the sentence says what to change."""

    temporary = False


class ContentChanged(ClientError):
    """A file was not the same when it was sent as when it was measured: the connection must be closed.

    No message is complete by then: the last octets of a file are given only after it proved unchanged.
    """


def excerpt(text: object) -> str:
    """Return what was found as an error may show it."""
    shown = repr(text)
    return shown if len(shown) <= 80 else f"{shown[:76]}...{shown[-1]}"
