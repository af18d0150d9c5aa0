"""The options that tell of a server and of whom to log in as, which ``send`` and ``probe`` share."""

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from ninsho.cli.endings import WrongUsage
from ninsho.cli.passwords import ask, read_line
from ninsho.client.settings import Settings
from ninsho.client.url import parse
from ninsho.errors import ConfigurationError, MalformedMessage
from ninsho.text import decode_password

STANDARD_INPUT = Path("-")
ASK = "ask"
# What of a URL without its scheme can be nothing but a host, and perhaps a port.
_PLACE = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
# What else is missing where nobody can read the URL that should have said it.
_FOLLOW_ONS = ("username: expected one", "password: expected one")


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
            return Settings.of(url, **{**self._keywords(), **more})
        except ConfigurationError as error:
            problems = _causes(error.problems)
        if any(problem.startswith("SMTP_") for problem in problems):
            raise ConfigurationError(problems)
        raise WrongUsage("; ".join(self._placed(problem, place) for problem in problems) + meant(url))

    def user_name(self, url: str | None, place: str) -> str:
        """Return the user name, empty where there is none; no secret is fetched, asked for or expected.

        Raises as ``settings`` does.
        """
        bare = replace(self, password_file=None)
        try:
            settings = bare.settings(url, place)
        except (WrongUsage, ConfigurationError) as error:
            with suppress(WrongUsage, ConfigurationError):
                settings = bare.settings(url, place, password=_no_password)
                return settings.login.username if settings.login else ""
            raise error from None
        return settings.login.username if settings.login else ""

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


def _no_password() -> str:
    return ""


def _causes(problems: Sequence[str]) -> list[str]:
    """Leave out what follows from a URL that cannot be read."""
    if not any(problem.startswith(("url:", "SMTP_URL:")) for problem in problems):
        return list(problems)
    return [problem for problem in problems if not problem.startswith(_FOLLOW_ONS)]


def meant(url: str | None) -> str:
    """Suggest what a login and a host without a scheme may have meant; what stands before the @ is not shown."""
    if url is None or "://" in url:
        return ""
    _, at, place = url.partition("?")[0].rpartition("@")
    if not at or not _PLACE.fullmatch(place) or parse(f"smtp://{url}").faults:
        return ""
    return f"; did you mean smtp://…@{place}?"


def _first_line(file: Path) -> str:
    try:
        with file.open("rb") as lines:
            return decode_password(lines.readline().removesuffix(b"\n").removesuffix(b"\r"))
    except OSError as error:
        raise WrongUsage(f"--password-file: {file}: cannot be read: {error.strerror}") from None
    except MalformedMessage as error:
        # The error names the rule, never the password.
        raise WrongUsage(f"--password-file: {file}: {error}") from None
