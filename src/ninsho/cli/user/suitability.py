"""Which mechanisms an account can log in by, as far as its stored forms go, and why not by the others."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ninsho.cli.user.records import scheme
from ninsho.daemon.config import Config
from ninsho.errors import MalformedSecret
from ninsho.sasl.dialogue import Inspect, Lookup, Verify
from ninsho.sasl.mechanism import Mechanism
from ninsho.stores import hashing
from ninsho.stores.entries import Record
from ninsho.stores.schemes.stored import Label
from ninsho.stores.wanted_forms import WantedForms, is_readable

NEWEST = "SCRAM-SHA-256"
ANEW = "set the password anew"


class Usable:
    """Which of the mechanisms *known* accounts can log in by."""

    def __init__(self, known: Mapping[str, Mechanism], wanted: WantedForms) -> None:
        self._known = known
        self._wanted = wanted
        # Most accounts store the same schemes: of 100,000 accounts each takes 29 µs instead of 490.
        self._names: dict[tuple[bool, frozenset[str]], tuple[str, ...]] = {}

    def by(self, secrets: Sequence[str]) -> tuple[str, ...]:
        """Return the names of those that an account with these *secrets* can log in by."""
        verifiable = _unverifiable(secrets, self._wanted) is None
        schemes = frozenset(filter(None, map(_sound_scheme, secrets)))
        names = self._names.get((verifiable, schemes))
        if names is None:
            names = self._names[verifiable, schemes] = tuple(self._serving(schemes, verifiable=verifiable))
        return names

    def _serving(self, schemes: Iterable[str], *, verifiable: bool) -> Iterator[str]:
        for name, one in self._known.items():
            if one.needs is Lookup:
                serves = any(hashing.serves(scheme, one.secrets) for scheme in schemes)
            else:
                serves = verifiable or one.needs is not Verify
            if serves:
                yield name


def of_accounts(known: Mapping[str, Mechanism], config: Config) -> dict[str, Mechanism]:
    """Return those mechanisms that are about accounts; where others vouch for the user, only if that is configured."""
    named = {name.upper() for listen in config.listen for name in listen.mechanisms or ()}
    vouched = {name for name, one in known.items() if one.needs is Inspect and config.oauth}
    return {
        name: one
        for name, one in known.items()
        if one.needs in {Verify, Lookup} or (one.vouched and name in named | vouched)
    }


def hindrance(mechanism: Mechanism, secrets: Sequence[str], wanted: WantedForms, *, grows: bool = True) -> str | None:
    """Why an account with these *secrets* cannot log in by *mechanism*, and what helps; None if it can.

    *grows*: its store takes other forms while it serves.
    """
    if mechanism.needs is Verify:
        return _unverifiable(secrets, wanted)
    if mechanism.needs is not Lookup:
        return None
    findings = [_finding(stored, mechanism.secrets) for stored in secrets]
    if None in findings:
        return None
    if broken := "; ".join(filter(None, findings)):
        return f"{broken}; {ANEW}"
    schemes = [one.name for one in hashing.schemes() if hashing.serves(one.name, mechanism.secrets)]
    forms = "".join(f" or {{{name}}}" for name in schemes if not is_readable(name))
    stored = f"the account stores {_told(secrets)}"
    remedy = _remedy(schemes, secrets, wanted) if grows else ANEW
    return f"{stored}; {mechanism.name} needs the password itself{forms}; {remedy}"


def summary(
    records: Sequence[Record], usable_by: Sequence[Sequence[str]], known: Mapping[str, Mechanism]
) -> Iterator[str]:
    """Say of each mechanism that needs stored secrets how many accounts can use it, if some can."""
    counts = {name: sum(name in names for names in usable_by) for name, one in known.items() if one.needs is Lookup}
    for name, count in counts.items():
        if count or name == NEWEST:
            rest = len(records) - count
            accounts = "account" if count == 1 else "accounts"
            yield f"{count} {accounts} can use {name}" + (f", {rest} cannot yet" if rest else "")


def _unverifiable(secrets: Sequence[str], wanted: WantedForms) -> str | None:
    if not secrets:
        return "the account stores no form of a password"
    try:
        stored = hashing.best(tuple(secrets), wanted.permitted)
        hashing.needs_rehash(stored, hashing.scheme_of(stored), permitted=wanted.permitted)
    except (MalformedSecret, ValueError) as error:
        return f"the account stores {_told(secrets)}: {error}"
    return None


def _sound_scheme(stored: str) -> str | None:
    """Return the scheme of *stored* unless it is broken."""
    try:
        hashing.secret_in(stored, (object,))
        return hashing.scheme_of(stored)
    except MalformedSecret:
        return None


def _finding(stored: str, kinds: tuple[type, ...]) -> str | None:
    """None where *stored* serves a mechanism that needs one of *kinds*; else what is broken in it, if anything is."""
    try:
        if not hashing.serves(hashing.scheme_of(stored), kinds):
            return ""
        hashing.secret_in(stored, (object,))
    except MalformedSecret as error:
        return f"a stored form is broken: {error}"
    return None


def _told(secrets: Sequence[str]) -> str:
    return f"only {', '.join(map(scheme, secrets))}" if secrets else "nothing"


def _remedy(schemes: Sequence[str], secrets: Sequence[str], wanted: WantedForms) -> str:
    """What brings the account a form of one of *schemes*."""
    if _unverifiable(secrets, wanted) is not None:
        return ANEW
    made = (made for made in wanted.missing(tuple(secrets)).values() if made)
    if {Label.parse(one).name for one in made} & set(schemes):
        return f"log in once by PLAIN or LOGIN, or {ANEW}"
    if {Label.parse(one).name for one in wanted.schemes()} & set(schemes):
        return ANEW
    return f"log in once by PLAIN or LOGIN with accounts.derive, or {ANEW}"
