"""Python's own SMTP client, with its conversation on stage."""

import smtplib
from collections.abc import Callable
from typing import Any

from ninsho.cli.demo.stage import Stage
from ninsho.cli.throwaway import DOMAIN
from ninsho.sasl.exchange import Channel, Credentials, Exchange
from ninsho.sasl.registry import clients

HIDDEN = "(hidden)"
# Its line says a name, and proves nothing.
HARMLESS = "OREORE"


class Client(smtplib.SMTP):
    """Shows what is said; what is secret in it is hidden. Of EHLO's reply only AUTH is shown if it is *brief*."""

    def __init__(self, port: int, stage: Stage, *, brief: bool) -> None:
        self._stage = stage
        self._brief = brief
        self._in_auth = False
        super().__init__("127.0.0.1", port, local_hostname=f"client.{DOMAIN}", timeout=15)

    def log_in(self, mechanism: str, username: str, password: str = "") -> int:
        """Log in; return the code of the last reply."""
        self.user, self.password = username, password
        try:
            return self.auth(mechanism, self._answers(mechanism))[0]
        except smtplib.SMTPAuthenticationError as error:
            return error.smtp_code

    def deliver(self, address: str, *, subject: str) -> None:
        """Send a message from *address* to itself; raises ``SMTPException`` where it is refused."""
        message = f"From: <{address}>\r\nTo: <{address}>\r\nSubject: {subject}\r\n\r\nIt works.\r\n"
        self.sendmail(address, address, message)

    def putcmd(self, cmd: str, args: str = "") -> None:
        """Show a command and send it."""
        self._stage.sent(self._shown(cmd, args))
        super().putcmd(cmd, args)

    def getreply(self) -> tuple[int, bytes]:
        """Receive a reply and show it."""
        code, message = super().getreply()
        # RFC 4954 §4: between 334 and the last reply every line of the client is SASL data.
        self._in_auth = code == 334
        *lines, last = message.decode(errors="backslashreplace").split("\n")
        if self._brief and len(lines) > 1:
            lines, last = [line for line in lines if line.startswith("AUTH")], "…"
        self._stage.received(*(f"{code}-{line}" for line in lines), f"{code} {last}")
        return code, message

    def _answers(self, mechanism: str) -> Callable[..., Any]:
        """Return what answers the challenges of *mechanism*."""
        match mechanism:
            case "PLAIN":
                return self.auth_plain
            case "LOGIN":
                return self.auth_login
            case "CRAM-MD5":
                return self.auth_cram_md5
            case _ if mechanism in (known := clients()) and (begin := known[mechanism].client):
                # Python's client knows no other; ours brings them all.
                credentials = Credentials(self.user, self.password, channel=Channel(host=DOMAIN))
                return _answers_of(Exchange(begin(credentials)))
            case _:
                return lambda _=None: self.user

    def _shown(self, command: str, arguments: str) -> str:
        if self._in_auth:
            return HIDDEN
        name, _, response = arguments.partition(" ")
        if command.upper() == "AUTH" and response and name != HARMLESS:
            return f"AUTH {name} {HIDDEN}"
        return f"{command.upper()} {arguments}".rstrip()


def _answers_of(exchange: Exchange) -> Callable[..., str | None]:
    """What smtplib asks: without a challenge for the initial response, None if there is none."""

    def answer(challenge: bytes | None = None) -> str | None:
        response = exchange.begin() if challenge is None else exchange.answer(challenge)
        return None if response is None else response.decode()

    return answer
