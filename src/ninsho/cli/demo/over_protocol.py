"""The demonstration without a mail server: a client of the authentication protocol takes its part."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ninsho.cli.auth.client import Client, connect
from ninsho.cli.auth.login import Flow, Receive, Send, authenticate, shake_hands
from ninsho.cli.demo.program import ThrowawayNinsho
from ninsho.cli.demo.site import MECHANISMS, Site, User
from ninsho.cli.demo.stage import Stage
from ninsho.sasl.exchange import Credentials
from ninsho.sasl.registry import BUILTIN
from ninsho.wire.dovecot import replies, requests

FIRST_USER = "hogehoge"
PARAMETERS = {"service": "smtp", "nologin": "", "secured": ""}


class OverProtocol:
    """The scenes; *folder* is a place for the site's files."""

    def __init__(self, folder: Path, stage: Stage) -> None:
        self._stage = stage
        self._site = Site(folder, folder / "auth.sock")

    def play(self) -> None:
        """Play all scenes; the last one is the project's first test."""
        site, stage = self._site, self._stage
        stage.heading("Two users")
        site.add_users(stage)
        with ExitStack() as stack:
            with ThrowawayNinsho(site) as ninsho:
                for mechanism in MECHANISMS[:-1]:
                    user = site.alice if mechanism in {"PLAIN", "LOGIN"} else site.bob
                    self._log_in(f"{user.name} logs in by {mechanism}", mechanism, user, "OK")
                self._log_in("A wrong password", "PLAIN", User(site.alice.name, "wrong"), "FAIL")
                stage.heading("What ninsho wrote about it")
                stage.remark(*ninsho.decisions())
                stage.heading("ninsho is stopped in the middle: it gives no verdict, and Postfix would say 454")
                client = stack.enter_context(self._client())
            stage.expect("AUTH without ninsho", "closed", self._attempt(client, "PLAIN", site.alice))
        with ThrowawayNinsho(site):
            stage.heading("ninsho is back: the first test")
            with self._client() as client:
                stage.expect("AUTH OREORE", "OK", _kind(client.run(say_name(FIRST_USER))))

    def _log_in(self, heading: str, mechanism: str, user: User, expected: str) -> None:
        self._stage.heading(heading)
        with self._client() as client:
            self._stage.expect(f"AUTH {mechanism}", expected, self._attempt(client, mechanism, user))

    def _attempt(self, client: Client, mechanism: str, user: User) -> str:
        """Log in; return OK, FAIL or closed."""
        login = authenticate(BUILTIN[mechanism], Credentials(user.name, user.password), PARAMETERS)
        try:
            return _kind(client.run(login))
        except ConnectionError:
            self._stage.received("(the connection is closed)")
            return "closed"

    @contextmanager
    def _client(self) -> Iterator[Client]:
        with connect(str(self._site.socket)) as connection:
            client = Client(connection, log=self._show)
            mechs = client.run(shake_hands(os.getpid()))
            self._stage.expect("the handshake", MECHANISMS, list(mechs))
            yield client

    def _show(self, line: str) -> None:
        if line.startswith(">"):
            self._stage.sent(line[2:])
        else:
            self._stage.received(line[2:])


def say_name(name: str) -> Flow[replies.Reply]:
    """Log in by OREORE; its line says a name and proves nothing, so it is shown."""
    line = requests.auth(1, "OREORE", PARAMETERS, name.encode())
    yield Send(line, line)
    return replies.parse((yield from Receive()))


def _kind(reply: replies.Reply) -> str:
    return type(reply).__name__.upper()
