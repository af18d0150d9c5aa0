"""The options of ``ninsho auth test``, and what they mean."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cyclopts import Parameter

from ninsho.cli.auth.client import Address
from ninsho.cli.endings import Unavailable, WrongUsage
from ninsho.cli.options import ConfigOption, JsonOption, PasswordStdinOption
from ninsho.cli.passwords import given
from ninsho.sasl.exchange import Credentials
from ninsho.sasl.mechanism import Mechanism


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
    service: str = "smtp"
    """The service to name; smtp unless given."""
    remote_ip: str | None = None
    """Say that the client comes from this address."""
    password_stdin: PasswordStdinOption = False
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

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of AUTH, in the order in which Postfix sends them."""
        remote_ip = {} if self.remote_ip is None else {"rip": self.remote_ip}
        return {"service": self.service, "nologin": "", **remote_ip, "secured": ""}

    @property
    def fields(self) -> list[str]:
        """The same, as they stand on the line."""
        return [f"{name}={value}" if value else name for name, value in self.parameters.items()]

    def choose(self, known: Mapping[str, Mechanism], offered: Iterable[str]) -> Mechanism:
        """Return the mechanism to log in by, one that is *offered* and whose client's side is *known*."""
        offered = list(offered)
        wanted = offered if self.mechanism is None else [self.mechanism.upper()]
        for name in wanted:
            if name in offered and name in known and known[name].client is not None:
                return known[name]
        if self.mechanism is None or wanted[0] in offered:
            raise WrongUsage(f"expected a mechanism whose client side is known here, got {', '.join(wanted)}")
        raise Unavailable(f"expected {wanted[0]} to be offered, got {', '.join(offered)}")

    def credentials(self, user: str, mechanism: Mechanism) -> Credentials:
        """Get the password, unless *mechanism* asks nobody about one."""
        try:
            user.encode()
        except UnicodeEncodeError:
            raise WrongUsage("expected the user name in UTF-8") from None
        if mechanism.needs is None and not self.password_stdin:
            return Credentials(user)
        return Credentials(user, given(stdin=self.password_stdin))


def _endpoint(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise WrongUsage(f"--host: expected address:port, got {text!r}")
    return host.strip("[]"), int(port)
