"""The mechanisms that a server offers, as the client sees them: which it would try, in which order, and why."""

from dataclasses import replace
from typing import Final, NamedTuple

from ninsho.cli.probe.look import Look
from ninsho.client.settings import Login, Settings
from ninsho.errors import NoMechanism
from ninsho.sasl.choosing import RANKING, Choice, Chooser, Rejected
from ninsho.sasl.exchange import Channel, Credentials
from ninsho.sasl.registry import clients

# Nobody is asked for a password to say by which mechanism it would go.
SOMEBODY: Final = Login(username="user", password="password")  # noqa: S106 - nobody's
_REASONS: Final = {rank.name: rank.reason for rank in RANKING}


class Standing(NamedTuple):
    """How an offered mechanism stands with the client; ``place`` counts from 1, None if it would not be tried."""

    name: str
    place: int | None
    reason: str


def standings(settings: Settings, found: Look) -> list[Standing]:
    """Say how each mechanism stands, those to try first; who has no login is taken to have a password."""
    offered = found.last.capabilities.mechanisms if found.last else ()
    if not offered:
        return []
    choice = _choice(_chooser(settings, found), offered)
    return [
        *(
            Standing(one.name, place, _REASONS.get(one.name, "a mechanism of one's own"))
            for place, one in enumerate(choice.candidates, 1)
        ),
        *(Standing(name, None, reason) for name, reason in choice.rejected),
    ]


def _choice(chooser: Chooser, offered: tuple[str, ...]) -> Choice:
    try:
        return chooser.choose(offered)
    except NoMechanism as error:
        return Choice((), tuple(Rejected(*one) for one in error.rejected))


def _chooser(settings: Settings, found: Look) -> Chooser:
    login = settings.login or SOMEBODY
    # Where there is a password or token, any will do here.
    credentials = Credentials(
        login.username,
        "?" if login.password is not None else "",
        token="?" if login.token is not None else None,
        channel=Channel(bindings=found.secured.bindings if found.secured else {}),
    )
    return Chooser(
        credentials=replace(credentials, authzid=login.authzid),
        tls=found.secured is not None,
        certificate=found.secured is not None and settings.trust.certificate is not None,
        allow_cleartext=login.allow_cleartext,
        minimum=login.lowest,
        force=login.force,
        exclude=login.exclude,
        require_binding=login.require_binding,
        clients=clients(login.mechanisms),
    )
