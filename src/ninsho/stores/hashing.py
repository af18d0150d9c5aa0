"""Stored password forms, ``{SCHEME}`` strings: verifying, making and telling them apart.

*permitted* are the names of the weak schemes that are accepted all the same, as ``permission`` returns them.
"""

from collections.abc import Iterable
from hmac import compare_digest

from ninsho.errors import MalformedSecret
from ninsho.sasl.secrets import CramKey, DigestKey, Password, ScramKeys
from ninsho.stores.schemes.scheme import Scheme, Secret
from ninsho.stores.schemes.scram import Scram
from ninsho.stores.schemes.stored import Label, Stored
from ninsho.stores.schemes.table import SCHEMES
from ninsho.text import PASSWORD_LIMIT, password_candidates

DEFAULT_SCHEME = "ARGON2ID"

NONE: frozenset[str] = frozenset()

# What can be made of the password itself.
_DERIVED = (CramKey, DigestKey, ScramKeys)
_SCRAM = {f"{{{scheme.name}": scheme.kind for scheme in SCHEMES.values() if isinstance(scheme, Scram)}


def verify(stored: str, password: str, username: str = "", *, permitted: frozenset[str] = NONE) -> bool:
    """Tell whether *stored* was made from *password*, and from *username* where the scheme hashes that as well.

    Raises ``MalformedSecret`` where the scheme is not accepted or the form is broken, ``StoreUnavailable`` where there
    is no memory to compute the hash.
    """
    read = Stored.parse(stored)
    return _matches(read.label.accepted(permitted), read.form, password, username)


def make(
    password: str,
    scheme: str = DEFAULT_SCHEME,
    username: str = "",
    *,
    permitted: frozenset[str] = NONE,
    salt: bytes | None = None,
) -> str:
    """Make a stored form of *password*, with *scheme*'s costs and a new salt; in SCRAM with *salt* if it is given.

    ``SSHA256.hex`` and the like choose the encoding. Raises ``ValueError`` for an unknown scheme, for one that hashes
    the user's name where *username* is not given, and for a password which is empty, holds a NUL, or is longer than a
    login takes or the scheme looks at.
    """
    label = _label(scheme, permitted)
    candidates = _candidates(password)
    if not candidates or len(candidates[0]) > PASSWORD_LIMIT:
        raise ValueError(f"password: expected 1 to {PASSWORD_LIMIT} octets of UTF-8 and no NUL")
    chosen = label.scheme
    if chosen.named and not username:
        raise ValueError(f"scheme {label.name}: expected the user's name, which is part of what is hashed")
    phrase = chosen.phrases(candidates[0], username)[0]
    return label.encode(chosen.made_with(salt, phrase) if isinstance(chosen, Scram) else chosen.make(phrase))


def best(stored_forms: tuple[str, ...], permitted: frozenset[str] = NONE) -> str:
    """Return the one of an account's forms that a password is to be verified against.

    That is the first in the account's order. All are of one password and the weakest betrays it whichever is looked
    at, so the order is a matter of cost, and the administrator's: ``{PLAIN}`` before ``{ARGON2ID}`` spares a login the
    hash. Only two kinds of forms stand back:

    - Those that cannot be used, unknown, broken or of a scheme that is not accepted, hide no other.
    - Those that may match a wrong password or miss the right one count only where nothing else is left: of weak
      schemes, some of which look at a password's beginning alone, and of those that hash the user's name as well, which
      the administrator may have changed since.

    The only form is returned unread, as verifying tells what is wrong with it. Raises ``MalformedSecret`` where none is
    stored, and where none of several can be used: about the first.
    """
    if len(stored_forms) == 1:
        return stored_forms[0]
    doubtful = trouble = None
    for stored in stored_forms:
        try:
            scheme = _usable(stored, permitted)
        except MalformedSecret as error:
            trouble = trouble or error
            continue
        if not (scheme.weak or scheme.named):
            return stored
        doubtful = doubtful or stored
    if doubtful is None:
        raise trouble or MalformedSecret("expected a stored form, found none")
    return doubtful


def scheme_of(stored: str, default_scheme: str | None = None) -> str:
    """Return the one name of *stored*'s scheme, also of one that is not accepted; raise ``MalformedSecret``."""
    return _parse(stored, default_scheme).label.name


def check(stored: str) -> None:
    """Raise ``MalformedSecret`` for a form that is unknown or broken, which is told without computing a hash.

    So is one that its own mechanism's clients refuse. One of a scheme that is known and never accepted is whatever it
    is.
    """
    read = Stored.parse(stored)
    if scheme := SCHEMES.get(read.label.name):
        scheme.admit(read.form)


def normalise(stored: str, default_scheme: str | None = None) -> str:
    """Return *stored* with its ``{SCHEME}`` in front, by its one name; raise ``MalformedSecret``.

    *default_scheme* is that of a string without one; ``ValueError`` if it is unknown.
    """
    return str(_parse(stored, default_scheme))


def verify_if_cheap(stored: str, password: str, username: str = "", *, permitted: frozenset[str] = NONE) -> bool | None:
    """Do as ``verify`` where that takes microseconds, and nothing where it takes longer."""
    # A CRAM-MD5 site logs in by PLAIN as well, all day: straight to the comparison takes 0.7 µs instead of 2.
    if stored.startswith("{PLAIN}") and len(stored) > 7 and (stored + password).isascii() and password.isprintable():
        return compare_digest(stored[7:].encode(), password.encode()) and password != ""
    read = Stored.parse(stored)
    scheme = read.label.accepted(permitted)
    return _matches(scheme, read.form, password, username) if scheme.cheap else None


def is_cheap(stored: str, *, permitted: frozenset[str] = NONE) -> bool:
    """Whether verifying takes microseconds, as it does where it only fails: then it may run in the event loop."""
    try:
        return Stored.parse(stored).label.accepted(permitted).cheap
    except MalformedSecret:
        return True


def needs_rehash(stored: str, scheme: str = DEFAULT_SCHEME, *, permitted: frozenset[str] = NONE) -> bool:
    """Whether *stored* is of another scheme than *scheme*, or made at less cost than now; raise ``MalformedSecret``."""
    wanted = _label(scheme, permitted)
    read = Stored.parse(stored)
    return read.label.name != wanted.name or wanted.scheme.outdated(read.form)


def secret_in(stored: str, kinds: tuple[type, ...]) -> Secret | None:
    """Return what a challenge-response mechanism can use, if it is one of *kinds*; raise ``MalformedSecret``."""
    if stored.startswith("{PLAIN}") and len(stored) > 7 and stored.isascii() and Password in kinds:
        return Password(stored[7:].encode())
    # Each SCRAM login comes here: 1.7 µs instead of 2.7.
    if stored.startswith("{SCRAM-"):
        label, _, text = stored.partition("}")
        if kind := _SCRAM.get(label):
            return kind.parse(text) if issubclass(kind, kinds) else None
    read = Stored.parse(stored)
    secret = read.label.scheme.secret(read.form)
    return secret if isinstance(secret, kinds) else None


def cuts(stored: str, password: str) -> bool:
    """Whether *stored*, which matches *password*, matches others as well, as its scheme looks at a part of it alone.

    Raises ``MalformedSecret``.
    """
    read = Stored.parse(stored)
    return any(read.label.scheme.cuts(read.form, candidate) for candidate in _candidates(password))


def serves(scheme: str, kinds: tuple[type, ...]) -> bool:
    """Whether the forms of *scheme* hold a secret of one of these *kinds*, or the password, to make one of."""
    secrets = SCHEMES[scheme].secrets if scheme in SCHEMES else ()
    if Password in secrets and any(issubclass(kind, _DERIVED) for kind in kinds):
        return True
    return any(issubclass(secret, kinds) for secret in secrets)


def is_quick(scheme: str) -> bool:
    """Whether passwords are quickly guessed from the forms of *scheme*, or read; raise ``MalformedSecret``."""
    made = Label.parse(scheme).scheme
    return made.cheap or made.weak


def permission(names: Iterable[str]) -> frozenset[str]:
    """Return the one name of each of the weak schemes *names*; raise ``ValueError`` for one that is not weak."""
    permitted = set()
    for spelling in names:
        name = _label(spelling, _WEAK).name
        if name not in _WEAK:
            raise ValueError(f"scheme {name} is not weak, and needs no permission")
        permitted.add(name)
    return frozenset(permitted)


def check_scheme(name: str, *, permitted: frozenset[str] = NONE) -> None:
    """Raise ``ValueError`` for a scheme that new forms cannot be of, with the names of those that they can."""
    _label(name, permitted)


def check_default_scheme(name: str) -> None:
    """Raise ``ValueError`` for a scheme that forms without a label cannot be of; it may be weak."""
    _label(name, _WEAK)


def schemes(permitted: frozenset[str] = NONE) -> tuple[Scheme, ...]:
    """Return the schemes that are accepted, the best first; each has a ``name`` and says what it is in ``about``."""
    return tuple(scheme for scheme in SCHEMES.values() if not scheme.weak or scheme.name in permitted)


def weak_schemes() -> tuple[Scheme, ...]:
    """Return the schemes that are accepted only where they are permitted, the best first."""
    return tuple(scheme for scheme in SCHEMES.values() if scheme.weak)


_WEAK = frozenset(scheme.name for scheme in weak_schemes())


def _usable(stored: str, permitted: frozenset[str]) -> Scheme:
    read = Stored.parse(stored)
    scheme = read.label.accepted(permitted)
    scheme.check(read.form)
    return scheme


def _matches(scheme: Scheme, form: bytes, password: str, username: str) -> bool:
    if scheme.named and not username:
        raise scheme.malformed("expected the user's name, which is part of what is hashed")
    matches = False
    # Each candidate is tried, whatever became of the others: a match takes as long as a mismatch.
    for candidate in _candidates(password):
        for phrase in scheme.phrases(candidate, username):
            matches |= scheme.verify(form, phrase)
    return matches


def _parse(stored: str, default_scheme: str | None) -> Stored:
    return Stored.parse(stored, _label(default_scheme, _WEAK) if default_scheme else None)


def _label(scheme: str, permitted: frozenset[str]) -> Label:
    """Read a scheme's name that a person wrote."""
    try:
        label = Label.parse(scheme)
        return label._replace(name=label.accepted(permitted).name)
    except MalformedSecret as error:
        raise ValueError(f"{error}; {_hint(scheme, permitted)}") from None


def _hint(scheme: str, permitted: frozenset[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - 7 ms, for those who mistype

    known = [one.name for one in schemes(permitted)]
    close = [] if scheme.upper() in SCHEMES else get_close_matches(scheme.upper(), known, n=1)
    question = f"did you mean {close[0]}? " if close else ""
    return f"{question}known are {', '.join(known)}"


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
