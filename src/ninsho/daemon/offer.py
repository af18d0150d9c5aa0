"""What a listener may offer: the mechanisms that the stores can serve, and why the others cannot work."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from ninsho.errors import ConfigurationError
from ninsho.sasl.dialogue import Lookup, Verify
from ninsho.sasl.mechanism import Mechanism
from ninsho.sasl.registry import mechanisms
from ninsho.stores import python_file
from ninsho.stores.accounts import SecretStore, Store


def mechanisms_in(path: Path) -> list[Mechanism]:
    """The mechanisms that the Python file at *path* makes; raise ``ConfigurationError`` if there is none."""
    found = [value for value in vars(python_file.load(path)).values() if isinstance(value, Mechanism)]
    if not found:
        raise ConfigurationError([f"{path}: expected a mechanism made with @mechanism, found none"])
    return found


def offer(
    names: Sequence[str] | None, own: Sequence[Mechanism], stores: Sequence[Store], held: Mapping[str, int]
) -> dict[str, Mechanism]:
    """The mechanisms of a listener by name, in the order of *names*; None: all that can work and are not weak.

    Raises ``ConfigurationError`` for a name that is unknown, or whose mechanism can never work with the *stores*.
    """
    known = mechanisms(own)
    if names is None:
        # The site's own come last: clients that take the first they know should meet one they know.
        offered = [one for one in known.values() if one.default and obstacle(one, stores, held) is None]
        if not offered:
            raise ConfigurationError(["expected a mechanism that the stores can serve, found none"])
        return {one.name: one for one in offered}
    problems, chosen = [], {}
    for name in (spelling.upper() for spelling in names):
        if name not in known:
            problems.append(f"expected one of {', '.join(known)}, got {name!r}")
        elif reason := obstacle(known[name], stores, held):
            problems.append(f"{name} can never work: {reason}")
        else:
            chosen[name] = known[name]
    if problems:
        raise ConfigurationError(problems)
    return chosen


def obstacle(mechanism: Mechanism, stores: Sequence[Store], held: Mapping[str, int]) -> str | None:  # noqa: PLR0911 - one reason, one line
    """Why no account of the stores can ever log in by *mechanism*; None if one may."""
    if mechanism.needs is Verify and not stores:
        return "it needs a store, and none is configured"
    if mechanism.needs is not Lookup:
        return None
    if not any(isinstance(store, SecretStore) for store in stores):
        return "it needs stored secrets, and the stores only verify passwords"
    if not all(isinstance(store, SecretStore) for store in stores[: _last_secret_store(stores)]):
        return "a store that only verifies passwords stands before one with secrets, and may know other users by a name"
    if not held:
        return None
    # Not where mechanisms of one's own serve alone: it brings every scheme.
    from ninsho.stores import hashing  # noqa: PLC0415

    if not any(hashing.serves(scheme, mechanism.secrets) for scheme in held):
        counted = ", ".join(f"{scheme} ({accounts})" for scheme, accounts in sorted(held.items()))
        return f"it needs the password itself or a form made for it, and the accounts hold only {counted}"
    return None


def _last_secret_store(stores: Sequence[Store]) -> int:
    return max(index for index, store in enumerate(stores) if isinstance(store, SecretStore))
