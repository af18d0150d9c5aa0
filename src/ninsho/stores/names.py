"""User names as stores know them: prepared as a login brings them, and found whatever their case."""

from ninsho.errors import MalformedMessage, NinshoError
from ninsho.text import prepare_username


class MalformedEntry(NinshoError):
    """What somebody wants to store about an account cannot be stored; the message never holds a secret."""


def key_of(name: str) -> str:
    """Return what *name* is looked up by: ``Alice@Example.org`` and ``alice@example.org`` are one login.

    People type their address as they like, phones begin it with a capital, and every mail server in use takes the
    local parts as equal. Two accounts never become one by it: the key is unique, so the second one is refused.
    """
    # RFC 8265 §3.3.2 takes toLowerCase. Case folding would also make "strasse" of "straße": two people's names.
    return name.lower()


def prepare_name(name: str) -> str:
    """Return *name* as a login will bring it; raise ``MalformedEntry`` with the rule that it breaks."""
    try:
        prepared = prepare_username(name.encode())
    except UnicodeEncodeError:
        raise MalformedEntry("user name: expected UTF-8") from None
    except MalformedMessage as error:
        raise MalformedEntry(str(error)) from None
    if not prepared.isprintable():
        # The mail server could not read it back from its escaped form.
        raise MalformedEntry("user name: expected printable characters")
    return prepared
