"""The options that tell of a server and of whom to log in as, which ``send`` and ``probe`` share."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from ninsho.cli.endings import WrongUsage
from ninsho.cli.passwords import ask, read_line
from ninsho.client.settings import Settings
from ninsho.errors import ConfigurationError, MalformedMessage
from ninsho.text import decode_password

STANDARD_INPUT = Path("-")
ASK = "ask"


@Parameter(name="*")
@dataclass(frozen=True)
class ServerOptions:
    """How to reach the server and log in, where its URL does not say."""

    username: str | None = None
    """The user name."""
    password_from: Literal["ask", "keyring", "netrc"] | None = None
    """Where the password is: ask for it, or take it from the system's keyring or from ~/.netrc."""
    password_file: Annotated[Path | None, Parameter(allow_leading_hyphen=True)] = None
    """Read the password from the first line of this file; - is standard input."""
    password_command: str | None = None
    """Take the password from the first line that this command prints, such as "pass show mail"."""
    token_command: str | None = None
    """Take a bearer token from the first line that this command prints."""
    auth: str | None = None
    """The mechanism to log in by, or the least that it must do, such as mutual; else the best that both sides have."""
    tls: Literal["implicit", "starttls", "opportunistic", "none"] | None = None
    """When TLS begins; else as the port has it."""
    ca: Path | None = None
    """A file or directory of certificates to believe instead of the system's."""
    timeout: str | None = None
    """How long to wait for the server, such as 30s or 5m."""

    def settings(self, url: str | None, place: str, **more: object) -> Settings:
        """Return what a client needs to be told; *place* is where *url* stood, *more* are further keywords.

        Raises ``WrongUsage``, or ``ConfigurationError`` where the environment is wrong.
        """
        try:
            return Settings.of(url, **self._keywords(), **more)  # type: ignore[arg-type]  # its keywords
        except ConfigurationError as error:
            if any(problem.startswith("SMTP_") for problem in error.problems):
                raise
            raise WrongUsage("; ".join(self._placed(problem, place) for problem in error.problems)) from None

    def _keywords(self) -> dict[str, Any]:
        alike = ("username", "password_command", "token_command", "auth", "tls", "timeout")
        return {
            **{name: getattr(self, name) for name in alike},
            "password_from": None if self.password_from == ASK else self.password_from,
            "password": self._password(),
            "ca": self.ca,
        }

    def _password(self) -> str | Callable[[], str] | None:
        if self.password_from == ASK:
            # Once, however many connections there are.
            return cache(lambda: ask(twice=False))
        if self.password_file is None:
            return None
        return read_line() if self.password_file == STANDARD_INPUT else _first_line(self.password_file)

    def _placed(self, problem: str, place: str) -> str:
        name, colon, rest = problem.partition(":")
        if name == "url":
            return f"{place}{colon}{rest}"
        return f"--{name.replace('_', '-')}{colon}{rest}" if getattr(self, name, None) else problem


def _first_line(file: Path) -> str:
    try:
        with file.open("rb") as lines:
            return decode_password(lines.readline().removesuffix(b"\n").removesuffix(b"\r"))
    except OSError as error:
        raise WrongUsage(f"--password-file: {file}: cannot be read: {error.strerror}") from None
    except MalformedMessage as error:
        # The error names the rule, never the password.
        raise WrongUsage(f"--password-file: {file}: {error}") from None
