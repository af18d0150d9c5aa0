"""Preparing names and passwords: SASLprep (RFC 4013), and the edge where octets become text."""

import stringprep
from collections.abc import Callable
from unicodedata import category, ucd_3_2_0

from ninsho.errors import MalformedMessage

NAME_LIMIT = 1024  # octets; RFC 4616 §2 asks for 255 at least, Dovecot takes as many as this
PASSWORD_LIMIT = 1024  # octets; the same

# RFC 4013 §2.3, each table as RFC 3454 appendix C calls it. C.1.2 is left out: its spaces have become U+0020 by then.
_PROHIBITED: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("C.2.1, ASCII control characters", stringprep.in_table_c21),
    ("C.2.2, other control characters", stringprep.in_table_c22),
    ("C.3, private use", stringprep.in_table_c3),
    ("C.4, non-character code points", stringprep.in_table_c4),
    ("C.5, surrogate codes", stringprep.in_table_c5),
    ("C.6, inappropriate for plain text", stringprep.in_table_c6),
    ("C.7, inappropriate for canonical representation", stringprep.in_table_c7),
    ("C.8, changes display properties or is deprecated", stringprep.in_table_c8),
    ("C.9, tagging characters", stringprep.in_table_c9),
)


def saslprep(text: str, *, stored: bool = False) -> str:
    """Prepare *text* as RFC 4013 says, with the tables of Unicode 3.2.

    A *stored* string (what an enrolment keeps) holds no code point that Unicode 3.2 leaves unassigned; a query (what a
    login sends) may. Raises ``ValueError`` with the rule and the place in the mapped text, which is never quoted.
    The result is empty where every character maps to nothing: the caller refuses that (RFC 4616 §2).
    """
    if _is_plain(text):
        return text
    prepared = _mapped(text)
    if obstacle := _prohibited(prepared) or _bidirectional(prepared) or (stored and _unassigned(prepared)):
        raise ValueError(obstacle)
    return prepared


def prepare_username(raw: bytes) -> str:
    """Return the one form of a user name that stores, limits and logs may see.

    Where nothing but unassigned code points (newer letters, emoji) stands against a stored string, the name is taken
    as it came. Raises ``MalformedMessage`` with the rule that is broken, never with the name.
    """
    # Runs once a login: 0.2 µs for an ASCII name, measured with CPython 3.11; 7 to 30 µs for any other.
    if 0 < len(raw) <= NAME_LIMIT and raw.isascii() and (name := raw.decode()).isprintable():
        return name
    text = _decode(raw, what="user name", limit=NAME_LIMIT)
    prepared = _mapped(text)
    obstacle = _prohibited(prepared) or _bidirectional(prepared)
    if not obstacle and _unassigned(prepared):
        prepared, obstacle = text, _invisible(text)
    # Checked again: normalising can make text longer, and "user=" must fit into the mail server's line.
    if obstacle := obstacle or _size_fault(prepared.encode(), NAME_LIMIT):
        raise MalformedMessage(f"user name: {obstacle}")
    return prepared


def decode_password(raw: bytes) -> str:
    """Return a password as text, unprepared; raise ``MalformedMessage`` with the rule that is broken."""
    if 0 < len(raw) <= PASSWORD_LIMIT and raw.isascii() and (password := raw.decode()).isprintable():
        return password
    password = _decode(raw, what="password", limit=PASSWORD_LIMIT)
    if "\0" in password:
        raise MalformedMessage("password: holds a NUL")
    return password


def password_candidates(password: str) -> tuple[str, ...]:
    """Return the texts that a stored hash may have been made from, the one that we make it from first.

    Enrolment and login prepare alike, and both fall back to the raw text where preparing fails. Other programs,
    Dovecot among them, hash the raw text: so it comes second where it differs.
    """
    try:
        prepared = saslprep(password, stored=True)
    except ValueError:
        return (password,)
    return (prepared, password) if prepared not in ("", password) else (password,)


def prepared_or_raw(text: str) -> str:
    """Return *text* as a client sends it: prepared, or as it is where a server would not prepare it either."""
    try:
        return saslprep(text, stored=True) or text
    except ValueError:
        return text


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _mapped(text: str) -> str:
    """Map and normalise (RFC 4013 §2.1 and §2.2)."""
    # U+200B stands in both tables; §2.1 names the spaces first, and so do libidn and PostgreSQL.
    spaced = "".join(" " if stringprep.in_table_c12(char) else char for char in text)
    kept = "".join(char for char in spaced if not stringprep.in_table_b1(char))
    return ucd_3_2_0.normalize("NFKC", kept)


def _prohibited(prepared: str) -> str | None:
    for place, char in enumerate(prepared, start=1):
        for table, holds in _PROHIBITED:
            if holds(char):
                return f"character {place} is prohibited (RFC 3454 table {table})"
    return None


def _bidirectional(prepared: str) -> str | None:
    """Apply RFC 3454 §6: right-to-left text has no left-to-right characters, and begins and ends with its own."""
    rightward = [stringprep.in_table_d1(char) for char in prepared]
    if not any(rightward):
        return None
    for place, char in enumerate(prepared, start=1):
        if stringprep.in_table_d2(char):
            return f"character {place} is left-to-right among right-to-left characters (RFC 3454 §6)"
    if not (rightward[0] and rightward[-1]):
        return f"character {len(prepared) if rightward[0] else 1} is not right-to-left as its text is (RFC 3454 §6)"
    return None


def _unassigned(prepared: str) -> str | None:
    for place, char in enumerate(prepared, start=1):
        if stringprep.in_table_a1(char):
            return f"character {place} is unassigned in Unicode 3.2 (RFC 3454 table A.1)"
    return None


def _invisible(text: str) -> str | None:
    """Find what RFC 3454 could not prohibit yet, such as the bidirectional isolates that would disguise a log line."""
    for place, char in enumerate(text, start=1):
        if category(char) in {"Cc", "Cf", "Zl", "Zp"}:
            return f"character {place} is a control or format character"
    return None


def _decode(raw: bytes, *, what: str, limit: int) -> str:
    fault = _size_fault(raw, limit)
    if not fault:
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            fault = f"not UTF-8 at octet {error.start + 1}"
    # Raised out here, as the error above holds the octets, and a context would carry them into a traceback.
    raise MalformedMessage(f"{what}: {fault}")


def _size_fault(raw: bytes, limit: int) -> str | None:
    if not raw:
        return "empty"
    return f"{len(raw)} octets long, more than {limit}" if len(raw) > limit else None
