"""What a listener may offer: the mechanisms that the stores can serve, and why the others cannot work."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ninsho.errors import ConfigurationError
from ninsho.sasl.dialogue import Inspect, Lookup, Verify
from ninsho.sasl.mechanism import Mechanism
from ninsho.stores import python_file
from ninsho.stores.accounts import SecretStore, Store


@dataclass(frozen=True, slots=True)
class Means:
    """What there is for mechanisms to work with.

    ``held`` says how many accounts hold which scheme, ``lacking`` how many have nothing that a mechanism of this name
    can use; ``new`` are the schemes in which new passwords are stored. ``tokens``: somebody inspects bearer tokens.
    ``strangers``: users without an account may log in where others vouch for them.
    """

    stores: Sequence[Store] = ()
    held: Mapping[str, int] = field(default_factory=dict)
    lacking: Mapping[str, int] = field(default_factory=dict)
    new: Sequence[str] = ()
    tokens: bool = False
    strangers: bool = False


def mechanisms_in(path: Path) -> list[Mechanism]:
    """The mechanisms that the Python file at *path* makes; raise ``ConfigurationError`` if there is none."""
    found = [value for value in vars(python_file.load(path)).values() if isinstance(value, Mechanism)]
    if not found:
        raise ConfigurationError([f"{path}: expected a mechanism made with @mechanism, found none"])
    return found


def offer(names: Sequence[str] | None, known: Mapping[str, Mechanism], means: Means) -> dict[str, Mechanism]:
    """The mechanisms of a listener by name, in the order of *names*; None: all that suit everybody and are not weak.

    Raises ``ConfigurationError`` for a name that is not *known*, or whose mechanism can never work with the *means*.
    """
    if names is None:
        # The site's own come last: clients that take the first they know should meet one they know.
        offered = [one for one in known.values() if one.default and shortcoming(one, means) is None]
        if not offered:
            raise ConfigurationError(["expected a mechanism that the stores can serve, found none"])
        return {one.name: one for one in offered}
    problems, chosen = [], {}
    for name in (spelling.upper() for spelling in names):
        if name.removesuffix("-PLUS") in known and name not in known:
            problems.append(f'{name} comes with {name.removesuffix("-PLUS")} by itself where handshake = "1.3"')
        elif name not in known:
            problems.append(f"expected one of {', '.join(known)}, got {name!r}")
        elif reason := obstacle(known[name], means):
            problems.append(f"{name} can never work: {reason}")
        else:
            chosen[name] = known[name]
    if problems:
        raise ConfigurationError(problems)
    return chosen


def shortcoming(mechanism: Mechanism, means: Means) -> str | None:
    """Why *mechanism* is not offered unless it is named; None if it works for everybody.

    A client takes the strongest that is offered, and does not try another when that fails.
    """
    if reason := obstacle(mechanism, means):
        return reason
    if mechanism.needs is not Lookup:
        return None
    if count := means.lacking.get(mechanism.name, 0):
        return f"{count} {'account has' if count == 1 else 'accounts have'} nothing that it can use"
    if _serves([*means.held], mechanism) or (not means.held and _serves(means.new, mechanism)):
        return None
    return "no account has anything that it can use yet"


def obstacle(mechanism: Mechanism, means: Means) -> str | None:  # noqa: PLR0911 - one reason, one line
    """Why no account of the stores can ever log in by *mechanism*; None if one may."""
    if mechanism.needs is Verify and not means.stores:
        return "it needs a store, and none is configured"
    if mechanism.needs is Inspect and not means.tokens:
        return "it needs somebody who inspects tokens, and no [[oauth]] is configured"
    hands_out = any(isinstance(store, SecretStore) for store in means.stores)
    if mechanism.vouched and not hands_out and not means.strangers:
        return 'no store can say who has an account here; expected accounts.unknown = "accept" or such a store'
    if mechanism.needs is Lookup and not hands_out:
        return "it needs stored secrets, and the stores only verify passwords"
    looks_up = mechanism.needs is Lookup or (mechanism.vouched and hands_out)
    if looks_up and not all(
        isinstance(store, SecretStore) for store in means.stores[: _last_secret_store(means.stores)]
    ):
        return "a store that only verifies passwords stands before one with secrets, and may know other users by a name"
    if mechanism.needs is Lookup and means.held and not _serves([*means.held, *means.new], mechanism):
        counted = ", ".join(f"{scheme} ({accounts})" for scheme, accounts in sorted(means.held.items()))
        return f"it needs the password itself or a form made for it, and the accounts hold only {counted}"
    return None


def _serves(schemes: Sequence[str], mechanism: Mechanism) -> bool:
    # Not where mechanisms of one's own serve alone: it brings every scheme.
    from ninsho.stores import hashing  # noqa: PLC0415

    return any(hashing.serves(scheme, mechanism.secrets) for scheme in schemes)


def _last_secret_store(stores: Sequence[Store]) -> int:
    return max(index for index, store in enumerate(stores) if isinstance(store, SecretStore))
