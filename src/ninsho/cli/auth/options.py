"""The options of ``ninsho auth test``, and what they mean."""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cyclopts import Parameter

from ninsho.cli.auth.client import Address
from ninsho.cli.endings import Unavailable, WrongUsage
from ninsho.cli.options import ConfigOption, JsonOption, PasswordStdinOption
from ninsho.cli.passwords import given
from ninsho.sasl.dialogue import Inspect, PeerName
from ninsho.sasl.exchange import Channel, Credentials
from ninsho.sasl.mechanism import Mechanism

# Their messages have no place for it.
_WITHOUT_AUTHZID = ("LOGIN", "CRAM-MD5")


@Parameter(name="*")
@dataclass(frozen=True)
class LoginOptions:
    """Where to ask, by which mechanism, and what a mail server would tell about its client."""

    socket: Path | None = None
    """Ask the server that listens on this UNIX socket."""
    host: str | None = None
    """Ask the server that listens on this TCP address, such as 127.0.0.1:12345."""
    config: ConfigOption = None
    mechanism: str | None = None
    """The mechanism; else the first that is offered and known here."""
    authzid: str = ""
    """Act as this user, as a master may."""
    service: str = "smtp"
    """The service to name; smtp unless given."""
    remote_ip: str | None = None
    """Say that the client comes from this address."""
    password_stdin: PasswordStdinOption = False
    token_stdin: bool = False
    """Read a bearer token from the first line of standard input, for OAUTHBEARER or XOAUTH2."""
    final_resp_ok: bool = False
    """Tell the server that its OK may carry the mechanism's last words."""
    verbose: bool = False
    """Show each line of the conversation, secrets hidden."""
    as_json: JsonOption = False

    @property
    def address(self) -> Address | None:
        """Where the server is; None: ask the stores."""
        if self.socket is not None and self.host is not None:
            raise WrongUsage("expected --socket or --host, got both")
        if self.host is not None:
            return _endpoint(self.host)
        return None if self.socket is None else str(self.socket)

    def parameters(self, user: str, mechanism: Mechanism) -> dict[str, str]:
        """The parameters of AUTH, in the order in which Postfix sends them."""
        remote_ip = {} if self.remote_ip is None else {"rip": self.remote_ip}
        # What a mail server says that has checked the client's certificate.
        certificate = {"valid-client-cert": "", "cert_username": user} if mechanism.needs is PeerName else {}
        last_words = {"final-resp-ok": ""} if self.final_resp_ok else {}
        return {"service": self.service, "nologin": "", **remote_ip, "secured": "", **certificate, **last_words}

    def choose(self, known: Mapping[str, Mechanism], offered: Iterable[str]) -> Mechanism:
        """Return the mechanism to log in by, one that is *offered* and whose client's side is *known*."""
        offered = list(offered)
        wanted = offered if self.mechanism is None else [self.mechanism.upper()]
        for name in wanted:
            if name in offered and name in known and known[name].client is not None and self._suits(known[name]):
                return known[name]
        if self.mechanism is None or wanted[0] in offered:
            token = " for a token" if self.token_stdin else ""
            raise WrongUsage(f"expected a mechanism{token} whose client side is known here, got {', '.join(wanted)}")
        raise Unavailable(f"expected {wanted[0]} to be offered, got {', '.join(offered)}")

    def credentials(self, user: str, mechanism: Mechanism) -> Credentials:
        """Get the password or the token, unless *mechanism* asks nobody about one."""
        _check_name(user)
        _check_name(self.authzid)
        if self.authzid and mechanism.name in _WITHOUT_AUTHZID:
            raise WrongUsage(f"--authzid: expected a mechanism that can say it, such as PLAIN, got {mechanism.name}")
        if self.token_stdin and self.password_stdin:
            raise WrongUsage("expected --token-stdin or --password-stdin, got both")
        channel = Channel(self.service)
        if mechanism.needs is Inspect:
            return Credentials(user, authzid=self.authzid, token=self._token(mechanism), channel=channel)
        if (mechanism.needs is None or mechanism.vouched) and not self.password_stdin:
            return Credentials(user, authzid=self.authzid, channel=channel)
        return Credentials(user, given(stdin=self.password_stdin), self.authzid, channel=channel)

    def _suits(self, mechanism: Mechanism) -> bool:
        """Whether it takes what is given: a token where there is one, and only there."""
        if self.mechanism is not None:
            return not self.token_stdin or mechanism.needs is Inspect
        return (mechanism.needs is Inspect) == self.token_stdin

    def _token(self, mechanism: Mechanism) -> str:
        if not self.token_stdin:
            raise WrongUsage(f"expected --token-stdin with {mechanism.name}")
        # A token may be longer than any password.
        token = sys.stdin.buffer.readline().strip()
        if not token:
            raise WrongUsage("standard input: expected a token, got none")
        return token.decode("ascii", errors="replace")


def _check_name(name: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError:
        raise WrongUsage("expected the user name in UTF-8") from None


def _endpoint(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise WrongUsage(f"--host: expected address:port, got {text!r}")
    return host.strip("[]"), int(port)
