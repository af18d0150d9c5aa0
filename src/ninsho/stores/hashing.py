"""Stored password forms, ``{SCHEME}`` strings: verifying, making and telling them apart."""

from hmac import compare_digest

from ninsho.errors import MalformedSecret
from ninsho.sasl.secrets import Password
from ninsho.stores.schemes.scheme import Scheme, Secret
from ninsho.stores.schemes.stored import Label, Stored
from ninsho.stores.schemes.table import SCHEMES
from ninsho.text import PASSWORD_LIMIT, password_candidates

DEFAULT_SCHEME = "ARGON2ID"


def verify(stored: str, password: str) -> bool:
    """Tell whether *stored* was made from *password*.

    Raises ``MalformedSecret`` where the scheme is not accepted or the form is broken, ``StoreUnavailable`` where there
    is no memory to compute the hash.
    """
    read = Stored.parse(stored)
    return _matches(read.label.scheme, read.form, password)


def make(password: str, scheme: str = DEFAULT_SCHEME) -> str:
    """Make a stored form of *password*, with *scheme*'s costs and a new salt.

    ``SSHA256.hex`` and the like choose the encoding. Raises ``ValueError`` for an unknown scheme, and for a password
    which is empty, holds a NUL, or is longer than a login takes or the scheme looks at.
    """
    label = _label(scheme)
    candidates = _candidates(password)
    if not candidates or len(candidates[0]) > PASSWORD_LIMIT:
        raise ValueError(f"password: expected 1 to {PASSWORD_LIMIT} octets of UTF-8 and no NUL")
    return label.encode(label.scheme.make(candidates[0]))


def scheme_of(stored: str, default_scheme: str | None = None) -> str:
    """Return the one name of *stored*'s scheme, also of one that is not accepted; raise ``MalformedSecret``."""
    return _parse(stored, default_scheme).label.name


def normalise(stored: str, default_scheme: str | None = None) -> str:
    """Return *stored* with its ``{SCHEME}`` in front, by its one name; raise ``MalformedSecret``.

    *default_scheme* is that of a string without one; ``ValueError`` if it is unknown.
    """
    return str(_parse(stored, default_scheme))


def verify_if_cheap(stored: str, password: str) -> bool | None:
    """Do as ``verify`` where that takes microseconds, and nothing where it takes longer."""
    # A CRAM-MD5 site logs in by PLAIN as well, all day: straight to the comparison takes 0.7 µs instead of 2.
    if stored.startswith("{PLAIN}") and stored.isascii() and password.isascii() and password.isprintable():
        return compare_digest(stored[7:].encode(), password.encode()) and password != ""
    read = Stored.parse(stored)
    scheme = read.label.scheme
    return _matches(scheme, read.form, password) if scheme.cheap else None


def is_cheap(stored: str) -> bool:
    """Whether verifying takes microseconds, as it does where it only fails: then it may run in the event loop."""
    try:
        return Stored.parse(stored).label.scheme.cheap
    except MalformedSecret:
        return True


def needs_rehash(stored: str, scheme: str = DEFAULT_SCHEME) -> bool:
    """Whether *stored* is of another scheme than *scheme*, or made at less cost than now; raise ``MalformedSecret``."""
    wanted = _label(scheme)
    read = Stored.parse(stored)
    return read.label.name != wanted.name or wanted.scheme.outdated(read.form)


def secret_in(stored: str, kinds: tuple[type, ...]) -> Secret | None:
    """Return what a challenge-response mechanism can use, if it is one of *kinds*; raise ``MalformedSecret``."""
    if stored.startswith("{PLAIN}") and stored.isascii() and Password in kinds:
        return Password(stored[7:].encode())
    read = Stored.parse(stored)
    secret = read.label.scheme.secret(read.form)
    return secret if isinstance(secret, kinds) else None


def serves(scheme: str, kinds: tuple[type, ...]) -> bool:
    """Whether the forms of *scheme* hold a secret of one of these *kinds*; not, if it is not accepted."""
    return scheme in SCHEMES and any(issubclass(secret, kinds) for secret in SCHEMES[scheme].secrets)


def check_scheme(name: str) -> None:
    """Raise ``ValueError`` for a scheme that is not known, with the names of those that are."""
    _label(name)


def schemes() -> tuple[Scheme, ...]:
    """Return the schemes that are accepted, the best first; each has a ``name`` and says what it is in ``about``."""
    return tuple(SCHEMES.values())


def _matches(scheme: Scheme, form: bytes, password: str) -> bool:
    matches = False
    # Each candidate is tried, whatever became of the others: a match takes as long as a mismatch.
    for candidate in _candidates(password):
        matches |= scheme.verify(form, candidate)
    return matches


def _parse(stored: str, default_scheme: str | None) -> Stored:
    return Stored.parse(stored, _label(default_scheme) if default_scheme else None)


def _label(scheme: str) -> Label:
    """Read a scheme's name that a person wrote."""
    try:
        label = Label.parse(scheme)
        return label._replace(name=label.scheme.name)
    except MalformedSecret as error:
        raise ValueError(f"{error}; {_hint(scheme)}") from None


def _hint(scheme: str) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - 7 ms, for those who mistype

    close = get_close_matches(scheme.upper(), SCHEMES, n=1)
    question = f"did you mean {close[0]}? " if close else ""
    return f"{question}known are {', '.join(SCHEMES)}"


def _candidates(password: str) -> list[bytes]:
    """Return the octets that may have been hashed; none where there cannot be any."""
    # Most passwords: preparing changes nothing.
    if password.isascii() and password.isprintable():
        return [password.encode()] if password else []
    # C's crypt() would stop at the NUL, and take any password that begins alike.
    if not password or "\0" in password:
        return []
    try:
        return [text.encode() for text in password_candidates(password)]
    except UnicodeEncodeError:
        return []
