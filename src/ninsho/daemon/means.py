"""Asking the stores what they hold: for the offer, for the decoys, and for the administrator."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from ninsho.daemon.config import Config
from ninsho.daemon.journal import Journal
from ninsho.daemon.offer import Means, obstacle, shortcoming
from ninsho.errors import MalformedSecret
from ninsho.sasl.dialogue import Lookup
from ninsho.sasl.mechanism import Mechanism
from ninsho.sasl.secrets import ScramKeys
from ninsho.stores import hashing, site_key
from ninsho.stores.accounts import Store
from ninsho.stores.census import Holder, holders, lacking, schemes_held
from ninsho.stores.decoys import Model

SAMPLE = 500  # of stored forms, from which decoys are modelled
NAMED = 20  # accounts of a weak scheme that are named; `ninsho user list --scheme` has all


async def gather(config: Config, stores: Sequence[Store], known: Iterable[Mechanism], *, tokens: bool) -> Means:
    """Find out what mechanisms can work with."""
    held = await schemes_held(stores)
    serving = {one.name: _schemes_for(one, held) for one in known if one.needs is Lookup}
    # Many mechanisms are served by the same schemes: with 100,000 accounts each count takes 50 to 100 ms.
    counts = {schemes: await lacking(stores, schemes) for schemes in {*serving.values()} if schemes}
    short = {name: counts[schemes] for name, schemes in serving.items() if schemes}
    new = (config.passwords.scheme, *config.accounts.derive)
    return Means(stores, held, short, new, tokens, config.accounts.rules.strangers)


def _schemes_for(mechanism: Mechanism, held: Iterable[str]) -> tuple[str, ...]:
    return tuple(scheme for scheme in held if hashing.serves(scheme, mechanism.secrets))


def site_key_of(config: Config, journal: Journal) -> bytes | None:
    """The key in the file that the configuration names; None, which the journal is told, if there is none to be had."""
    try:
        return site_key.load(config.accounts.key_file)
    except (OSError, ValueError) as error:
        finding = error.strerror if isinstance(error, OSError) else str(error)
        text = f"{config.accounts.key_file}: {finding}; unknown users of SCRAM have other salts after the next start"
        journal.note("no-key-file", text=text)
        return None


def kinds_of(offered: Iterable[Mechanism]) -> set[type[ScramKeys]]:
    """The kinds of keys for SCRAM that the mechanisms *offered* look at."""
    return {kind for one in offered for kind in one.secrets if issubclass(kind, ScramKeys)}


async def models_of(kinds: Iterable[type[ScramKeys]], means: Means) -> dict[type[ScramKeys], list[Model]]:
    """What real keys of these *kinds* look like, by a sample from everywhere."""
    steps = {kind: means.held.get(kind.name, 0) // SAMPLE + 1 for kind in kinds}
    return {
        kind: list(_models(kind, await holders(means.stores, kind.name, 2 * SAMPLE, every)))
        for kind, every in steps.items()
    }


def _models(kind: type[ScramKeys], sample: Iterable[Holder]) -> Iterator[Model]:
    for holder in sample:
        # A form that is broken is told where its user logs in.
        with suppress(MalformedSecret):
            secret = hashing.secret_in(holder.stored, (kind,))
            if isinstance(secret, kind):
                yield Model(secret.iterations, len(secret.salt))


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
