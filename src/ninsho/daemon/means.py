"""Asking the stores what they hold: for the offer, for the decoys, and for the administrator."""

from collections.abc import Iterable, Mapping, Sequence
from secrets import token_bytes

from ninsho.daemon.config import Config
from ninsho.daemon.journal import Journal
from ninsho.daemon.offer import Means, obstacle, shortcoming
from ninsho.sasl.dialogue import Lookup
from ninsho.sasl.mechanism import Mechanism
from ninsho.sasl.secrets import ScramKeys
from ninsho.stores import hashing, site_key
from ninsho.stores.accounts import Store
from ninsho.stores.census import Holder, holders, lacking, schemes_held
from ninsho.stores.decoys import Decoys, Model

SAMPLE = 100  # of stored forms, from which decoys are modelled
NAMED = 20  # accounts of a weak scheme that are named; `ninsho user list --scheme` has all


async def gather(config: Config, stores: Sequence[Store], known: Iterable[Mechanism], *, tokens: bool) -> Means:
    """Find out what mechanisms can work with."""
    held = await schemes_held(stores)
    serving = {one.name: _schemes_for(one, held) for one in known if one.needs is Lookup}
    short = {name: await lacking(stores, schemes) for name, schemes in serving.items() if schemes}
    new = (config.passwords.scheme, *config.accounts.derive)
    return Means(stores, held, short, new, tokens, config.accounts.unknown == "accept")


def _schemes_for(mechanism: Mechanism, held: Iterable[str]) -> list[str]:
    return [scheme for scheme in held if hashing.serves(scheme, mechanism.secrets)]


async def decoys_for(config: Config, offered: Iterable[Mechanism], means: Means, journal: Journal) -> Decoys:
    """Make decoys for the mechanisms *offered*, so that a name has the same ones as before the last start."""
    kinds = {kind for one in offered for kind in one.secrets if issubclass(kind, ScramKeys)}
    if not kinds:
        return Decoys(token_bytes(site_key.KEY_SIZE))
    try:
        key = site_key.load(config.accounts.key_file)
    except (OSError, ValueError) as error:
        key = token_bytes(site_key.KEY_SIZE)
        finding = error.strerror if isinstance(error, OSError) else str(error)
        text = f"{config.accounts.key_file}: {finding}; until the next start, unknown users have salts of this one"
        journal.note("no-key-file", text=text)
    return Decoys(
        key, {kind: _models(kind, await holders(means.stores, kind.name, SAMPLE), means.held) for kind in kinds}
    )


def _models(kind: type[ScramKeys], sample: Sequence[Holder], held: Mapping[str, int]) -> list[Model]:
    """Take after the *sample*, and after those whose password itself is stored, in the proportion that they have."""
    secrets = [hashing.secret_in(holder.stored, (kind,)) for holder in sample]
    real = [Model(one.iterations, len(one.salt)) for one in secrets if isinstance(one, kind)]
    readable = held.get("PLAIN", 0)
    derived = round(len(real) * readable / held[kind.name]) if real else min(readable, 1)
    return [*real, *[Model(derived=True)] * derived]


async def remarks(config: Config, means: Means, known: Iterable[Mechanism], journal: Journal) -> None:
    """Tell the administrator of accounts with weak forms, and of mechanisms that only some accounts can use."""
    permitted = hashing.permission(config.passwords.weak)
    for scheme in (one.name for one in hashing.weak_schemes() if means.held.get(one.name)):
        names = [holder.name for holder in await holders(means.stores, scheme, NAMED)]
        users = ", ".join(names) + (", …" if means.held[scheme] > len(names) else "")
        accepted = "yes" if scheme in permitted else "no"
        journal.note("weak-scheme", scheme=scheme, accepted=accepted, accounts=means.held[scheme], users=users)
    reasons: dict[str, list[str]] = {}
    for mechanism in known:
        works = mechanism.default and means.held and obstacle(mechanism, means) is None
        if works and (reason := shortcoming(mechanism, means)):
            reasons.setdefault(reason, []).append(mechanism.name)
    for reason, names in reasons.items():
        journal.note("not-offered", mechanisms=" ".join(names), text=f"{reason}; mechanisms can be named all the same")
