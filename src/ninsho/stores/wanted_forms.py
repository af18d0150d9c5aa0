"""Which stored forms an account should have: those that the site derives, and none that is outdated."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ninsho.errors import MalformedSecret
from ninsho.sasl.secrets import Password
from ninsho.stores import hashing
from ninsho.stores.schemes.stored import Label


@dataclass(frozen=True, slots=True)
class WantedForms:
    """What a site wants its accounts to hold; its schemes are known ones.

    *scheme* is that of new passwords, *derive* are those of the forms that every account is to have besides. With
    *rehash* outdated forms are to be made anew. *permitted* are the weak schemes that are accepted.
    """

    scheme: str = hashing.DEFAULT_SCHEME
    derive: tuple[str, ...] = ()
    rehash: bool = False
    permitted: frozenset[str] = hashing.NONE

    def schemes(self) -> tuple[str, ...]:
        """The schemes of a new password's forms, the preferred one first."""
        return tuple(_by_name((self.scheme, *self.derive)).values())

    def missing(self, secrets: tuple[str, ...]) -> Mapping[int, str | None]:
        """Return the schemes of the forms to make, by their places: within *secrets*, and then behind them.

        None stands where a form is only to go. Nothing is missing where no password can have matched.
        """
        try:
            verified = secrets.index(hashing.best(secrets, self.permitted))
            hashing.scheme_of(secrets[verified])
        except MalformedSecret:
            return {}
        outdated = self._outdated(secrets, verified) if self.rehash else {}
        held = set(_names_in(secrets)) | set(_by_name(filter(None, outdated.values())))
        lacking = [scheme for name, scheme in _by_name(self.derive).items() if name not in held]
        return outdated | dict(enumerate(lacking, start=len(secrets)))

    def is_ambiguous(self, secrets: tuple[str, ...], password: str) -> bool:
        """Whether *password*, which has matched, may be but a part of the user's, or be mistyped behind it."""
        return hashing.cuts(hashing.best(secrets, self.permitted), password)

    def _outdated(self, secrets: tuple[str, ...], verified: int) -> dict[int, str | None]:
        """Return the places of outdated forms, and of which scheme the new ones are to be, None: of none."""
        found: dict[int, str | None] = dict(self._successors(secrets, verified))
        mere = [place for place in found if not hashing.serves(hashing.scheme_of(secrets[place]), (object,))]
        alike = [place for place in mere if found[place] == self.scheme]
        # One new form is enough, and none where there is one; but what has matched just now is replaced.
        if verified in alike:
            alike.remove(verified)
        elif not any(map(self._is_current, secrets)):
            del alike[:1]
        return found | dict.fromkeys(alike)

    def _successors(self, secrets: tuple[str, ...], verified: int) -> Iterator[tuple[int, str]]:
        for place, stored in enumerate(secrets):
            try:
                scheme = self._successor(stored, verified=place == verified)
                if scheme is not None and hashing.needs_rehash(stored, scheme, permitted=self.permitted):
                    yield place, scheme
            except (MalformedSecret, ValueError):
                # Left as it is: a newer ninsho may read it.
                continue

    def _successor(self, stored: str, *, verified: bool) -> str | None:
        """Of which scheme *stored* ought to be by now; None: whatever it is."""
        name = hashing.scheme_of(stored)
        derived = name in _by_name(self.derive)
        if hashing.serves(name, (object,)):
            # Another scheme in its place would take a mechanism from the account.
            return name if verified or derived else None
        weaker = hashing.is_quick(self.scheme) and not hashing.is_quick(name)
        return name if weaker or (derived and not verified) else self.scheme

    def _is_current(self, stored: str) -> bool:
        try:
            return not hashing.needs_rehash(stored, self.scheme, permitted=self.permitted)
        except MalformedSecret:
            return False


def is_readable(scheme: str) -> bool:
    """Whether the forms of *scheme* are the passwords themselves."""
    return hashing.serves(Label.parse(scheme).name, (Password,))


def grown(secrets: tuple[str, ...], made: Mapping[int, str | None]) -> tuple[str | None, ...]:
    """Return *secrets* with the forms *made* in their places and behind them; None where one goes."""
    return tuple((dict(enumerate(secrets)) | dict(sorted(made.items()))).values())


def _by_name(schemes: Iterable[str]) -> dict[str, str]:
    """*schemes*, each once, by their names: ``SSHA256.hex`` is of SSHA256."""
    found: dict[str, str] = {}
    for scheme in schemes:
        found.setdefault(Label.parse(scheme).name, scheme)
    return found


def _names_in(secrets: tuple[str, ...]) -> Iterator[str]:
    for stored in secrets:
        try:
            yield hashing.scheme_of(stored)
        except MalformedSecret:
            continue
