"""Where a password or token comes from, if not from the program's own text: a keyring, a netrc file, a command.

A source is a function: called each time when the secret is needed. It may block, or ask the user. No error holds
what it found.
"""

import shlex
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from netrc import NetrcParseError, netrc
from os import PathLike, fspath

from ninsho.client.settings import Secret
from ninsho.errors import ConfigurationError, NinshoError

COMMAND_SECONDS = 120  # long enough to type a passphrase


@dataclass(frozen=True, slots=True)
class FromKeyring:
    """The password that the system's keyring has of *username* at *service*."""

    service: str
    username: str

    def __call__(self) -> str:
        """Ask the keyring, which may ask the user."""
        try:
            import keyring  # noqa: PLC0415 - not all have it
        except ImportError:
            raise ConfigurationError(["password: expected the package keyring: pip install ninsho[keyring]"]) from None
        password, fault = None, ""
        try:
            password = keyring.get_password(self.service, self.username)
        except keyring.errors.KeyringError as error:
            fault = type(error).__name__
        # Raised out here, as the error above may hold what was found; so below.
        if fault:
            raise ConfigurationError([f"keyring: cannot be read: {fault}"])
        if not password:
            raise ConfigurationError([f"keyring: expected a password of {self.username} at {self.service}, got none"])
        return password


@dataclass(frozen=True, slots=True)
class FromNetrc:
    """The password that *path*, else ``~/.netrc``, has of *host*; only of *username*, where one is given."""

    host: str
    path: str | None = None
    username: str = ""

    def __call__(self) -> str:
        """Read the file."""
        login, password = self._entry()
        if self.username and login != self.username:
            raise ConfigurationError([f"{self._place}: expected the login {self.username} of {self.host}, got another"])
        return password

    def login(self) -> str:
        """Return the user name that stands beside the password."""
        return self._entry()[0]

    @property
    def _place(self) -> str:
        return self.path or "~/.netrc"

    def _entry(self) -> tuple[str, str]:
        entry, fault = None, ""
        try:
            entry = netrc(self.path).authenticators(self.host)
        except OSError as error:
            fault = f"cannot be read: {error.strerror}"
        except (NetrcParseError, UnicodeDecodeError) as error:
            fault = _netrc_fault(error, self._place)
        if fault:
            raise ConfigurationError([f"{self._place}: {fault}"])
        if entry is None or not entry[2]:
            raise ConfigurationError([f"{self._place}: expected a password of {self.host}, got none"])
        return entry[0], entry[2]


@dataclass(frozen=True, slots=True)
class FromCommand:
    """The first line that *command* prints; it is not run by a shell."""

    # It may have a password in it.
    command: tuple[str, ...] = field(repr=False)

    def __call__(self) -> str:
        """Run it; what it says on standard error is shown to the user."""
        try:
            # It asks for a passphrase on its terminal, not on what may be a message being piped to us.
            run = subprocess.run(  # noqa: S603 - it is the user's own
                self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False, timeout=COMMAND_SECONDS
            )
        except OSError as error:
            raise ConfigurationError([f"{self._place}: cannot be run: {error.strerror}"]) from None
        except subprocess.TimeoutExpired:
            run = None
        # Raised out here, as the error above holds what was printed.
        if run is None:
            raise ConfigurationError([f"{self._place}: expected an end within {COMMAND_SECONDS} s, got none"])
        if run.returncode:
            raise ConfigurationError([f"{self._place}: expected success, got exit status {run.returncode}"])
        return self._first_line(run.stdout)

    @property
    def _place(self) -> str:
        return f"password command {self.command[0]}"

    def _first_line(self, printed: bytes) -> str:
        line = printed.partition(b"\n")[0].removesuffix(b"\r")
        try:
            password = line.decode()
        except UnicodeDecodeError:
            password = ""
        if not password:
            raise ConfigurationError([f"{self._place}: expected a first line in UTF-8, got none"])
        return password


def _netrc_fault(error: NetrcParseError | UnicodeDecodeError, place: str) -> str:
    """What is wrong with the file; the error's own text may hold the word at which reading stopped."""
    if isinstance(error, NetrcParseError) and "permissive" in error.msg:
        return f"others can read it: chmod 600 {place}"
    if isinstance(error, NetrcParseError) and "does not match current user" in error.msg:
        return "expected a file of this user's own, got another's"
    line = f" in line {error.lineno}" if isinstance(error, NetrcParseError) and error.lineno else ""
    return f"expected what netrc(5) allows, got something else{line}"


def from_keyring(service: str, username: str) -> FromKeyring:
    """Take the password from the system's keyring (``pip install ninsho[keyring]``)."""
    return FromKeyring(service, username)


def from_netrc(host: str, path: str | PathLike[str] | None = None, *, username: str = "") -> FromNetrc:
    """Take the password from a netrc file, ``~/.netrc`` unless told otherwise."""
    return FromNetrc(host, None if path is None else fspath(path), username)


def from_command(command: str) -> FromCommand:
    """Take the password from the first line that *command* prints, such as ``pass show mail/alice``.

    It is split as a shell would, and run without one. Raises ``ConfigurationError`` where it cannot be split.
    """
    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise ConfigurationError([f"password_command: {str(error).lower()}"]) from None
    if not words:
        raise ConfigurationError(["password_command: expected a program and its arguments, got none"])
    return FromCommand(words)


def revealed(secret: Secret, place: str = "password") -> str:
    """Return the secret itself; a source is asked for it, which may block, and is named *place* where it cannot."""
    value = secret if isinstance(secret, str) else _asked(secret, place)
    if not isinstance(value, str):
        raise ConfigurationError([f"{place}: expected a text from its function, got {type(value).__name__}"])
    return value


def _asked(source: Callable[[], str], place: str) -> str:
    try:
        return source()
    except NinshoError:
        raise
    except Exception as error:  # noqa: BLE001 - it is somebody else's; its text may hold the secret
        fault = f"{type(error).__name__}{_origin(error)}"
    # Raised out here, as the error above holds what may be the secret.
    raise ConfigurationError([f"{place}: expected a text from its function, which raised {fault}"])


def _origin(error: Exception) -> str:
    """The line of the source that *error* came through; empty where the source is not written in Python."""
    ours = error.__traceback__
    theirs = ours.tb_next if ours else None
    return f" in line {theirs.tb_lineno} of {theirs.tb_frame.f_code.co_filename}" if theirs else ""
