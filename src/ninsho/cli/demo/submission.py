"""ninsho's own client, with its conversation on stage."""

from base64 import b64encode
from typing import Self, TypeVar

from ninsho import Client, mechanism
from ninsho.cli.demo.stage import Stage
from ninsho.cli.throwaway import DOMAIN
from ninsho.client.errors import AuthenticationFailed
from ninsho.client.flow import Flow, run
from ninsho.client.login import log_in
from ninsho.client.receipt import Receipt
from ninsho.client.session import Session
from ninsho.client.settings import Settings
from ninsho.client.sockets import SocketTransport
from ninsho.client.tls import context_of
from ninsho.client.transcript import Transcript
from ninsho.sasl.dialogue import Denial, Denied, Verdict
from ninsho.sasl.exchange import Credentials, Steps
from ninsho.wire.smtp import Reply

T = TypeVar("T")


def _says_a_name(credentials: Credentials) -> Steps:
    yield credentials.username.encode()


@mechanism("OREORE", client=_says_a_name, plaintext=True)
def oreore(_: bytes | None) -> Verdict:
    """The client's side of the site's own mechanism; its server's side is in a file of the site's."""
    return Denied(Denial.MALFORMED)


class Shown(Transcript):
    """The chat as the stage shows it; of EHLO's reply only AUTH if it is *brief*."""

    def __init__(self, stage: Stage, *, brief: bool) -> None:
        self._stage = stage
        self._brief = brief
        super().__init__(lambda line: self._stage.sent(line.removeprefix("> ")))

    def received(self, reply: Reply) -> None:
        """Show a reply."""
        *lines, last = reply.text.split("\n")
        if self._brief and lines:
            lines, last = [line for line in lines if line.startswith("AUTH")], "…"
        self._stage.received(*(f"{reply.code}-{line}" for line in lines), f"{reply.code} {last}")

    def noted(self, text: str, *, error: bool = False) -> None:
        """Show only what is said."""


def settings_for(port: int, username: str, password: str, mechanism_name: str) -> Settings:
    """Return how to log in at the throw-away Postfix."""
    return Settings.of(
        f"smtp://127.0.0.1:{port}?tls=none",
        username=username,
        password=password or None,
        auth=mechanism_name,
        mechanisms=[oreore],
        ehlo_name=f"client.{DOMAIN}",
        timeout=15,
    )


def deliver(settings: Settings, stage: Stage, *subjects: str) -> list[Receipt]:
    """Send a message with each of the *subjects* from the user to the same; raises ``ClientError``."""
    address = f"{settings.login.username if settings.login else ''}@{DOMAIN}"
    with Client(settings, transcript=Shown(stage, brief=True)) as client:
        return list(client.send_many([_message(address, subject) for subject in subjects]))


def _message(address: str, subject: str) -> bytes:
    return f"From: <{address}>\r\nTo: <{address}>\r\nSubject: {subject}\r\n\r\nIt works.\r\n".encode()


class StepByStep:
    """The same client one step at a time; at the end of ``with`` it hangs up."""

    def __init__(self, settings: Settings, stage: Stage, *, brief: bool) -> None:
        self._settings = settings
        self._transport = SocketTransport(settings, lambda: context_of(settings.trust))
        self._session = Session(settings, watch=Shown(stage, brief=brief))

    @property
    def mechanisms(self) -> tuple[str, ...]:
        """What the server offers."""
        return self._session.capabilities.mechanisms

    def greet(self) -> None:
        """Connect and say EHLO, which is when Postfix connects to ninsho."""
        self._run(self._session.greet(self._settings.endpoints[0]))
        self._run(self._session.hello())

    def log_in(self) -> int:
        """Log in; return the code of the last reply."""
        try:
            self._run(log_in(self._session))
        except AuthenticationFailed as error:
            return error.reply.code
        return 235

    def say_a_name(self, mechanism_name: str, name: str) -> int:
        """Log in by one line that everybody may see."""
        return self._run(self._session.command("AUTH", mechanism_name, b64encode(name.encode()).decode())).code

    def quit(self) -> None:
        """Say goodbye."""
        self._run(self._session.quit())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._transport.close()

    def _run(self, flow: Flow[T]) -> T:
        return run(flow, self._transport)
