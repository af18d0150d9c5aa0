"""Which mechanisms a test server offers: those that its accounts can answer, or those that it was told to."""

from collections.abc import Collection, Iterable, Iterator, Mapping

from ninsho.sasl.dialogue import Inspect, Lookup, PeerName, Verify
from ninsho.sasl.mechanism import Mechanism, Properties
from ninsho.sasl.registry import BUILTIN, mechanisms
from ninsho.testing.accounts import Accounts


class Offer:
    """The mechanisms of a server; call it with what is true of a connection to have those that are offered on it.

    *told* are names, and mechanisms of one's own; None for all of ninsho's that *accounts* can answer. Raises
    ``ValueError`` for a name that nobody knows.
    """

    def __init__(
        self, told: Iterable[str | Mechanism] | None, accounts: Accounts, *, protect_passwords: bool = False
    ) -> None:
        own = [one for one in told or () if isinstance(one, Mechanism)]
        self._known = mechanisms(own)
        self._names = None if told is None else _names(told)
        self._accounts = accounts
        self._protect_passwords = protect_passwords
        if unknown := set(self._names or ()) - {one.name for one in self._all(bound=True)}:
            known = ", ".join(BUILTIN)
            raise ValueError(f"mechanisms: expected names such as {known}, got {', '.join(sorted(unknown))}")

    def __call__(self, tls: bool, certified: bool) -> Mapping[str, Mechanism]:  # noqa: FBT001 - a row of facts
        """Return the mechanisms by their names, with TLS or without, with a client's certificate or without."""
        offered = (one for one in self._all(bound=tls) if self._has_place(one, certified=certified))
        if self._protect_passwords and not tls:
            offered = (one for one in offered if Properties.PLAINTEXT not in one.properties)
        return {one.name: one for one in offered}

    def _all(self, *, bound: bool) -> Iterator[Mechanism]:
        for one in self._known.values():
            # Those that bind stand for a mechanism only where the client may see that they are there.
            binds = (
                bound
                and one.bound
                and (
                    self._names is None or any(form.name in self._names for form in one.bound if form.name != one.name)
                )
            )
            yield from one.bound if binds else (one,)

    def _has_place(self, one: Mechanism, *, certified: bool) -> bool:
        if self._names is not None:
            return one.name in self._names and (one.needs is not PeerName or certified)
        accounts = self._accounts
        if one.needs is PeerName:
            return certified
        if one.needs is Inspect:
            return bool(accounts.tokens)
        return one.needs in {Verify, Lookup} and bool(accounts.users)


def _names(told: Iterable[str | Mechanism]) -> Collection[str]:
    return {one.name if isinstance(one, Mechanism) else one.upper() for one in told}
