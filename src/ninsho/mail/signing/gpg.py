"""The program gpg, the only one that mail runs: its arguments, its passphrase, what it answers."""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from ninsho.errors import ConfigurationError
from ninsho.mail.unsendable import Unsendable, excerpt

if TYPE_CHECKING:
    from subprocess import CompletedProcess

# RFC 9580 §9.5, in the words of RFC 3156 §5.
_MICALG: Final = {"2": "pgp-sha1", "3": "pgp-ripemd160", "8": "pgp-sha256", "9": "pgp-sha384", "10": "pgp-sha512"} | {
    "11": "pgp-sha224"
}
# The reasons of INV_RECP and INV_SGNR in GnuPG's doc/DETAILS.
_REASONS: Final = {
    "0": "there is no such key, or none that can be used",
    "1": "there is no such key",
    "2": "more than one key goes by this name: say its fingerprint",
    "3": "the key is not for this",
    "4": "the key has been revoked",
    "5": "the key has expired",
    "9": "there is no secret key",
    "10": "nobody here has said that the key is theirs: sign it, or say always_trust=True",
    "13": "the key is disabled",
}
_STATUS = re.compile(r"^\[GNUPG:\] (\S+) ?(.*)$", re.MULTILINE)
# A name is UTF-8 in any locale; its keys are those that are here, and a file of options names none besides.
_STRICT: Final = ("--utf8-strings", "--no-auto-key-locate", "--no-encrypt-to")
_CONTROL = re.compile(r"[\0-\x1f\x7f]")
_PASSPHRASE_SIZE = 255  # octets: MAX_PASSPHRASE_LEN of gpg-agent


class Passphrase:
    """A passphrase that no ``repr``, ``asdict`` or pickle shows: ``line`` returns what gpg reads."""

    __slots__ = ("line",)

    line: Callable[[], bytes]

    def __init__(self, text: str) -> None:
        if not isinstance(text, str):
            raise TypeError(f"passphrase: expected a str, got {type(text).__name__}")
        # An error of the encoding would show of it what it cannot write.
        octets = text.encode(errors="surrogatepass")
        if _CONTROL.search(text):
            raise ConfigurationError(["passphrase: expected one line, got control characters in it"])
        if len(octets) > _PASSPHRASE_SIZE:
            raise ConfigurationError([f"passphrase: expected at most {_PASSPHRASE_SIZE} octets, got more"])
        self.line = lambda: octets + b"\n"

    @classmethod
    def of(cls, given: "str | Passphrase | None") -> "Passphrase | None":
        """Take one as it was given, or as it is kept."""
        return given if given is None or isinstance(given, Passphrase) else cls(given)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpg:
    """How gpg is run: with the keys in *home*, and the *passphrase* through a pipe; without one its agent asks."""

    home: os.PathLike[str] | str | None = None
    passphrase: Passphrase | None = field(default=None, repr=False)
    program: str = "gpg"
    timeout: float = 60.0

    def __post_init__(self) -> None:
        if not isinstance(self.program, str):
            raise TypeError(f"program: expected a str, got {type(self.program).__name__}")
        if self.home is not None and not isinstance(self.home, str | os.PathLike):
            raise TypeError(f"home: expected a path, got {type(self.home).__name__}")
        _refuse_unfit(self.program, "program: expected the name of a program")
        if self.home is not None:
            _refuse_unfit(os.fsdecode(self.home), "home: expected the path of a folder")

    def run(self, arguments: Iterable[str], octets: bytes) -> "Answer":
        """Return what gpg makes of *octets*; raise ``Unsendable`` with what it says against it."""
        with nullcontext() if self.passphrase is None else _pipe(self.passphrase.line()) as pipe:
            done = self._done([*self._command(pipe), *arguments], octets, pipe)
        # Its status lines stand among its words: a pipe more could fill up unread.
        told = done.stderr.decode("utf-8", "replace")
        answer = Answer(done.stdout, [(word, rest) for word, rest in _STATUS.findall(told)])
        if done.returncode or not done.stdout:
            raise Unsendable(f"{self.program}: {answer.complaint() or _last_words(told)}")
        return answer

    def _command(self, pipe: int | None) -> list[str]:
        home = [] if self.home is None else [f"--homedir={os.fsdecode(self.home)}"]
        secret = [] if pipe is None else ["--pinentry-mode=loopback", f"--passphrase-fd={pipe}"]
        return [self.program, "--batch", "--no-tty", "--status-fd=2", "--armor", "--output=-", *_STRICT, *home, *secret]

    def _done(self, command: list[str], octets: bytes, pipe: int | None) -> "CompletedProcess[bytes]":
        import subprocess  # noqa: PLC0415 - takes 5 ms, and few messages go by gpg

        try:
            return subprocess.run(  # noqa: S603 - no shell, and nothing in it is taken for an option
                command,
                input=octets,
                capture_output=True,
                check=False,
                timeout=self.timeout,
                pass_fds=() if pipe is None else (pipe,),
                env={**os.environ, "LC_ALL": "C"},
            )
        except OSError as error:
            raise Unsendable(f"PGP/MIME needs the program {self.program}: {error.strerror}") from None
        except subprocess.TimeoutExpired:
            raise Unsendable(f"{self.program}: expected an end within {self.timeout:g} s, got none") from None


class Answer(NamedTuple):
    """What gpg wrote, and its status lines: a word and what follows it."""

    output: bytes
    status: list[tuple[str, str]]

    def micalg(self) -> str:
        """Return the hash of the signature, as RFC 3156 §5 calls it."""
        for word, rest in self.status:
            if word == "SIG_CREATED" and (found := _MICALG.get(rest.split()[2])):
                return found
        raise Unsendable("expected a signature with a known hash from gpg, got none")

    def complaint(self) -> str:
        """Return what it says against what was asked of it; empty where it says nothing."""
        found = [_complaint(word, rest) for word, rest in self.status]
        return "; ".join(dict.fromkeys(filter(None, found)))


def _complaint(word: str, rest: str) -> str:
    match word, rest.split(maxsplit=1):
        case "INV_RECP" | "INV_SGNR", [reason, name]:
            return f"{excerpt(name)}: {_REASONS.get(reason, 'the key cannot be used')}"
        case "BAD_PASSPHRASE", _:
            return "the passphrase is wrong"
        case "MISSING_PASSPHRASE", _:
            return "the key wants a passphrase"
        case _:
            return ""


def _last_words(told: str) -> str:
    lines = [line for line in told.splitlines() if line.strip() and not line.startswith("[GNUPG:]")]
    return excerpt(lines[-1].removeprefix("gpg: ")) if lines else "it failed, and said nothing"


@contextmanager
def _pipe(line: bytes) -> Iterator[int]:
    """Give the end of a pipe that *line* can be read from; it is short enough for a pipe to hold it."""
    reader, writer = os.pipe()
    try:
        with open(writer, "wb") as pipe:  # noqa: PTH123 - it has no path
            pipe.write(line)
        yield reader
    finally:
        os.close(reader)


def _refuse_unfit(argument: str, expected: str) -> None:
    """Raise ``ConfigurationError`` for what no program can be given."""
    try:
        fit = argument and b"\0" not in os.fsencode(argument)
    except UnicodeEncodeError:
        fit = False
    if not fit:
        raise ConfigurationError([f"{expected}, got {excerpt(argument)}"])
