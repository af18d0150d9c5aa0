"""``ninsho hash``: stored forms of a password, ``{SCHEME}`` strings."""

from dataclasses import dataclass
from typing import Annotated

from cyclopts import Parameter

from ninsho.cli.endings import NO, WrongUsage
from ninsho.cli.options import JsonOption, PasswordStdinOption
from ninsho.cli.passwords import given
from ninsho.cli.terminal import say, say_json, say_table
from ninsho.errors import MalformedSecret
from ninsho.stores import hashing


@Parameter(name="*")
@dataclass(frozen=True)
class FormOptions:
    """What a stored form is to be."""

    scheme: Annotated[str | None, Parameter(help=f"How to store it; {hashing.DEFAULT_SCHEME} unless given.")] = None
    user: str = ""
    """Whose password it is: some schemes hash the name as well."""
    weak: bool = False
    """Make, check or list weak schemes, too."""

    def permitted(self) -> frozenset[str]:
        """The weak schemes that may be used."""
        return hashing.permission(one.name for one in hashing.weak_schemes()) if self.weak else hashing.NONE


def hash_password(
    *,
    check: Annotated[
        str | None, Parameter(help="Tell whether the password is that of this stored form, by exit status 0 or 1.")
    ] = None,
    list_: Annotated[bool, Parameter(name="--list", help="List the schemes.")] = False,
    form: FormOptions = FormOptions(),
    password_stdin: PasswordStdinOption = False,
    as_json: JsonOption = False,
) -> int:
    """Make or check a stored form of a password."""
    if (form.scheme is not None) + (check is not None) + list_ > 1:
        raise WrongUsage("expected one of --scheme, --check and --list")
    if list_:
        return list_schemes(form, as_json=as_json)
    if check is not None:
        return check_stored(check, given(stdin=password_stdin), form, as_json=as_json)
    return make_stored(given(stdin=password_stdin, twice=True), form, as_json=as_json)


def list_schemes(form: FormOptions, *, as_json: bool) -> int:
    """List the schemes, the best first."""
    schemes = {scheme.name: scheme.about for scheme in hashing.schemes(form.permitted())}
    if as_json:
        say_json([{"scheme": name, "about": about} for name, about in schemes.items()])
    else:
        say_table(("SCHEME", "ABOUT"), schemes.items())
    return 0


def make_stored(password: str, form: FormOptions, *, as_json: bool) -> int:
    """Write a stored form of *password*."""
    try:
        stored = hashing.make(password, form.scheme or hashing.DEFAULT_SCHEME, form.user, permitted=form.permitted())
    except ValueError as error:
        raise WrongUsage(str(error)) from None
    if as_json:
        say_json({"stored": stored, "scheme": hashing.scheme_of(stored)})
    else:
        say(stored)
    return 0


def check_stored(stored: str, password: str, form: FormOptions, *, as_json: bool) -> int:
    """Tell whether *stored* was made from *password*."""
    try:
        matches = hashing.verify(stored, password, form.user, permitted=form.permitted())
        scheme = hashing.scheme_of(stored)
    except MalformedSecret as error:
        # It is the argument that is wrong here, not the password.
        raise WrongUsage(f"--check: {error}") from None
    if as_json:
        say_json({"matches": matches, "scheme": scheme})
    else:
        say(f"{scheme}: the password {'matches' if matches else 'does not match'}")
    return 0 if matches else NO
