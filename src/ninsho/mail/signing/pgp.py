"""PGP/MIME (RFC 3156), signed and encrypted by the program gpg: the only place where mail runs a program."""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import KW_ONLY, InitVar, dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from ninsho.errors import ConfigurationError
from ninsho.mail.content import crlf
from ninsho.mail.signing.inner import Inner, boundary_for, multipart, part
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
_ADDRESS = re.compile(r"[^\s<>@]+@[^\s<>@]+")
_UNFIT = re.compile(r"[\0-\x1f\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpg:
    """How gpg is run: with the keys in *home*, and the *passphrase* through a pipe; without one its agent asks."""

    home: "os.PathLike[str] | str | None" = None
    passphrase: str | None = field(default=None, repr=False)
    program: str = "gpg"
    timeout: float = 60.0

    def __post_init__(self) -> None:
        if self.passphrase is not None and _UNFIT.search(self.passphrase):
            raise ConfigurationError(["passphrase: expected one line, got control characters in it"])

    def run(self, arguments: Iterable[str], octets: bytes) -> "Answer":
        """Return what gpg makes of *octets*; raise ``Unsendable`` with what it says against it."""
        with self._passphrase() if self.passphrase is not None else nullcontext(None) as pipe:
            done = self._done([*self._command(pipe), *arguments], octets, pipe)
        # Its status lines stand among its words: a pipe more could fill up unread.
        told = done.stderr.decode("utf-8", "replace")
        answer = Answer(done.stdout, [(word, rest) for word, rest in _STATUS.findall(told)])
        if done.returncode or not done.stdout:
            raise Unsendable(f"{self.program}: {answer.complaint() or _last_words(told)}")
        return answer

    def _command(self, pipe: int | None) -> list[str]:
        home = [] if self.home is None else [f"--homedir={os.fspath(self.home)}"]
        secret = [] if pipe is None else ["--pinentry-mode=loopback", f"--passphrase-fd={pipe}"]
        return [self.program, "--batch", "--no-tty", "--status-fd=2", "--armor", "--output=-", *home, *secret]

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

    @contextmanager
    def _passphrase(self) -> Iterator[int]:
        """Give the end of a pipe that the passphrase can be read from, as often as this is entered."""
        reader, writer = os.pipe()
        try:
            with open(writer, "wb") as pipe:  # noqa: PTH123 - it has no path
                # An error of the encoding would show of it what it cannot write.
                pipe.write(f"{self.passphrase}\n".encode(errors="surrogatepass"))
            yield reader
        finally:
            os.close(reader)


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


@dataclass(frozen=True, slots=True, eq=False)
class PgpSigned:
    """Signs with the key *key_id*: a fingerprint best, or an address.

    The key is in *home*, or where gpg looks; *passphrase* unlocks it, else gpg's agent asks for it. Raises
    ``ConfigurationError`` for what cannot work; ``sign`` raises ``Unsendable`` where gpg is missing or refuses.
    """

    key_id: str
    _: KW_ONLY
    home: "os.PathLike[str] | str | None" = None
    passphrase: InitVar[str | None] = None
    program: str = "gpg"
    timeout: float = 60.0
    _gpg: Gpg = field(init=False, repr=False)

    def __post_init__(self, passphrase: str | None) -> None:
        _check_name(self.key_id, "key_id")
        gpg = Gpg(home=self.home, passphrase=passphrase, program=self.program, timeout=self.timeout)
        object.__setattr__(self, "_gpg", gpg)

    def sign(self, octets: bytes) -> bytes:
        """Return the signed message; raise ``Unsendable``."""
        inner = Inner.of(octets)
        answer = self._gpg.run([f"--local-user={_exact(self.key_id)}", "--detach-sign"], inner.entity)
        signature = part(
            'Content-Type: application/pgp-signature; name="signature.asc"',
            "Content-Description: OpenPGP digital signature",
            'Content-Disposition: attachment; filename="signature.asc"',
            body=crlf(answer.output),
        )
        boundary = boundary_for((inner.entity, signature))
        protocol = 'protocol="application/pgp-signature"'
        return inner.within(
            f'Content-Type: multipart/signed; micalg={answer.micalg()};\r\n {protocol};\r\n boundary="{boundary}"',
            body=multipart((inner.entity, signature), boundary),
        )


@dataclass(frozen=True, slots=True, eq=False)
class PgpEncrypted:
    """Encrypts for *recipients*, by fingerprint or address, and for nobody else: the sender belongs there too.

    Those in *hidden* can read it as well, and nobody sees that: for blind copies. *sign_with* is the key that signs
    within. *always_trust* takes keys of which nobody has said whose they are. The header stays readable but for what is
    said of the content: Subject also. Raises ``ConfigurationError`` for what cannot work; ``sign`` raises
    ``Unsendable`` where gpg is missing or refuses.
    """

    recipients: Sequence[str]
    _: KW_ONLY
    hidden: Sequence[str] = ()
    home: "os.PathLike[str] | str | None" = None
    sign_with: str | None = None
    passphrase: InitVar[str | None] = None
    always_trust: bool = False
    program: str = "gpg"
    timeout: float = 60.0
    _gpg: Gpg = field(init=False, repr=False)

    def __post_init__(self, passphrase: str | None) -> None:
        if isinstance(self.recipients, str) or isinstance(self.hidden, str):
            raise TypeError("recipients: expected a list of names, got a str")
        if not self.recipients and not self.hidden:
            raise ConfigurationError(["recipients: expected names of keys, got none"])
        for name in (*self.recipients, *self.hidden, *([] if self.sign_with is None else [self.sign_with])):
            _check_name(name, "recipients")
        gpg = Gpg(home=self.home, passphrase=passphrase, program=self.program, timeout=self.timeout)
        object.__setattr__(self, "_gpg", gpg)

    def sign(self, octets: bytes) -> bytes:
        """Return the encrypted message; raise ``Unsendable``."""
        inner = Inner.of(octets)
        answer = self._gpg.run(self._arguments(), inner.entity)
        version = part("Content-Type: application/pgp-encrypted", body=b"Version: 1\r\n")
        encrypted = part(
            'Content-Type: application/octet-stream; name="encrypted.asc"',
            'Content-Disposition: inline; filename="encrypted.asc"',
            body=crlf(answer.output),
        )
        boundary = boundary_for((version, encrypted))
        return inner.within(
            f'Content-Type: multipart/encrypted;\r\n protocol="application/pgp-encrypted";\r\n boundary="{boundary}"',
            body=multipart((version, encrypted), boundary),
        )

    def _arguments(self) -> list[str]:
        arguments = [f"--recipient={_exact(name)}" for name in self.recipients]
        arguments += [f"--hidden-recipient={_exact(name)}" for name in self.hidden]
        if self.sign_with is not None:
            arguments += [f"--local-user={_exact(self.sign_with)}", "--sign"]
        if self.always_trust:
            arguments.append("--trust-model=always")
        return [*arguments, "--encrypt"]


def _check_name(name: str, place: str) -> None:
    if not name or _UNFIT.search(name):
        raise ConfigurationError([f"{place}: expected the name of a key, got {excerpt(name)}"])


def _exact(name: str) -> str:
    """Return an address as gpg takes it whole: else it would find longer ones, too."""
    return f"<{name}>" if _ADDRESS.fullmatch(name) else name


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
