"""What gpg signs and encrypts for us, gpg verifies and decrypts, in a home with keys of the tests' own."""

import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from signable_mail import FILE, NOTE, SHAPES

from ninsho.mail.entity import Entity, pieces
from ninsho.mail.signing.dkim import Dkim
from ninsho.mail.signing.inner import Inner
from ninsho.mail.signing.pgp import PgpEncrypted, PgpSigned
from ninsho.mail.signing.signer import signed
from ninsho.mail.unsendable import Unsendable

PASSPHRASE = "tan staaf, さくら"
TARO, BOB, STRANGER = "taro@example.com", "bob@example.org", "nobody@example.net"
each_shape = pytest.mark.parametrize("shape", SHAPES)


@dataclass(frozen=True)
class Keyring:
    """A home of gpg's, with one key of its owner's."""

    home: Path
    passphrase: str = ""

    def run(self, *arguments: str | Path, octets: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        command = ["gpg", "--batch", "--no-tty", "--status-fd=2", f"--homedir={self.home}", "--pinentry-mode=loopback"]
        command.append(f"--passphrase={self.passphrase}")
        return subprocess.run([*command, *arguments], input=octets, capture_output=True, check=False, timeout=60)

    def must(self, *arguments: str | Path, octets: bytes = b"") -> bytes:
        done = self.run(*arguments, octets=octets)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def decrypted(self, octets: bytes) -> "subprocess.CompletedProcess[bytes]":
        """What gpg makes of an encrypted message."""
        version, encrypted = parts(octets)
        assert version == b"Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n"
        return self.run("--decrypt", octets=Entity.read(encrypted).body)

    def verdict(self, octets: bytes, folder: Path) -> str:
        """What gpg says of a signed message."""
        entity, signature = parts(octets)
        (folder / "entity").write_bytes(entity)
        (folder / "signature").write_bytes(Entity.read(signature).body)
        return self.run("--verify", folder / "signature", folder / "entity").stderr.decode()


@dataclass(frozen=True)
class Correspondents:
    """Each has the other's public key, but Taro has never said that Bob's is Bob's."""

    taro: Keyring
    bob: Keyring


@pytest.fixture(scope="module")
def both(require: Callable[..., str]) -> Iterator[Correspondents]:
    require("gpg")
    # A socket's path is short: pytest's folders are not.
    with tempfile.TemporaryDirectory(prefix="gpg") as first, tempfile.TemporaryDirectory(prefix="gpg") as second:
        taro, bob = Keyring(Path(first), PASSPHRASE), Keyring(Path(second))
        try:
            taro.must("--quick-generate-key", f"Taro <{TARO}>", "future-default", "default", "1d")
            bob.must("--quick-generate-key", f"Bob <{BOB}>", "default", "default", "1d")
            taro.must("--import", octets=bob.must("--export", "--armor"))
            bob.must("--import", octets=taro.must("--export", "--armor"))
            yield Correspondents(taro, bob)
        finally:
            for keyring in (taro, bob):
                subprocess.run(["gpgconf", "--homedir", keyring.home, "--kill", "all"], check=True, timeout=60)


def parts(octets: bytes) -> list[bytes]:
    """The entities of a multipart message, octet for octet."""
    entity = Entity.read(octets)
    return [piece.octets.removeprefix(b"\r\n") for piece in pieces(entity.body, entity.boundary) if piece.part]


def by_taro(both: Correspondents, **options: object) -> PgpSigned:
    return PgpSigned(TARO, home=both.taro.home, **{"passphrase": PASSPHRASE, **options})


@each_shape
def test_gpg_verifies_what_is_signed(both: Correspondents, tmp_path: Path, shape: str) -> None:
    octets = by_taro(both).sign(SHAPES[shape])
    message = message_from_bytes(octets, policy=policy.default)
    assert message.get_content_type() == "multipart/signed"
    assert message.get_param("protocol") == "application/pgp-signature"
    assert message.get_param("micalg") in ("pgp-sha256", "pgp-sha512")
    assert parts(octets)[0] == Inner.of(SHAPES[shape]).entity
    assert "GOODSIG" in both.bob.verdict(octets, tmp_path)


def test_the_hash_is_said_as_it_is(both: Correspondents) -> None:
    octets = by_taro(both).sign(SHAPES["dots"])
    signature = Entity.read(parts(octets)[1]).body
    packets = both.bob.must("--list-packets", octets=signature)
    algorithm = re.search(rb"digest algo (\d+)", packets)[1]
    assert {b"8": b"pgp-sha256", b"10": b"pgp-sha512"}[algorithm] in octets


def test_what_was_changed_no_longer_verifies(both: Correspondents, tmp_path: Path) -> None:
    octets = by_taro(both).sign(SHAPES["dots"]).replace(b".dot", b".Dot")
    assert "BADSIG" in both.bob.verdict(octets, tmp_path)


@each_shape
def test_gpg_decrypts_what_is_encrypted(both: Correspondents, shape: str) -> None:
    octets = PgpEncrypted([BOB, TARO], home=both.taro.home, always_trust=True).sign(SHAPES[shape])
    for keyring in (both.bob, both.taro):
        assert keyring.decrypted(octets).stdout == Inner.of(SHAPES[shape]).entity


def test_what_was_written_is_what_is_read(both: Correspondents) -> None:
    octets = PgpEncrypted([BOB], home=both.taro.home, always_trust=True).sign(SHAPES["japanese, 8-bit"])
    assert message_from_bytes(octets, policy=policy.default)["Subject"] == "お知らせ"
    inside = message_from_bytes(both.bob.decrypted(octets).stdout, policy=policy.default)
    text, file = inside.iter_parts()
    assert text.get_content().replace("\r\n", "\n") == NOTE
    assert file.get_content() == FILE


def test_signed_within_what_is_encrypted(both: Correspondents) -> None:
    made = PgpEncrypted([BOB], home=both.taro.home, sign_with=TARO, passphrase=PASSPHRASE, always_trust=True)
    done = both.bob.decrypted(made.sign(SHAPES["trailing spaces"]))
    assert done.stdout == Inner.of(SHAPES["trailing spaces"]).entity
    assert b"GOODSIG" in done.stderr


def test_first_signed_then_encrypted(both: Correspondents, tmp_path: Path) -> None:
    encrypted = PgpEncrypted([BOB], home=both.taro.home, always_trust=True)
    seed = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="
    octets = signed(SHAPES["dots"], [by_taro(both), encrypted, Dkim("example.com", "s", seed)])
    inside = both.bob.decrypted(octets).stdout
    assert inside.startswith(b"Content-Type: multipart/signed")
    assert "GOODSIG" in both.bob.verdict(inside, tmp_path)


def test_10_nobody_sees_for_whom_a_blind_copy_is(both: Correspondents) -> None:
    octets = PgpEncrypted([TARO], hidden=[BOB], home=both.taro.home, always_trust=True).sign(SHAPES["dots"])
    done = both.bob.decrypted(octets)
    assert done.stdout == Inner.of(SHAPES["dots"]).entity
    told = [line.split()[2] for line in done.stderr.decode().splitlines() if " ENC_TO " in line]
    assert sorted(key == "0000000000000000" for key in told) == [False, True]


def test_what_stands_against_it_is_told(both: Correspondents, tmp_path: Path) -> None:
    wrong = by_taro(both, passphrase="tanstaafl")
    # The agent remembers the right one.
    subprocess.run(["gpgconf", "--homedir", both.taro.home, "--kill", "gpg-agent"], check=True, timeout=60)
    for signer, words in (
        (wrong, "Bad passphrase"),
        (PgpSigned(STRANGER, home=both.taro.home), f"'<{STRANGER}>': there is no secret key"),
        (PgpSigned(BOB, home=both.taro.home), f"'<{BOB}>': there is no secret key"),
        (PgpEncrypted([STRANGER], home=both.taro.home), f"'<{STRANGER}>': there is no such key"),
        (PgpEncrypted([BOB], home=both.taro.home), f"'<{BOB}>': nobody here has said that the key is theirs: sign it"),
        (PgpEncrypted([BOB], home=tmp_path / "none"), f"'<{BOB}>': there is no such key"),
    ):
        with pytest.raises(Unsendable, match=re.escape(words)) as raised:
            signer.sign(SHAPES["dots"])
        assert "tanstaafl" not in str(raised.value)


def test_a_key_goes_by_its_fingerprint_and_by_its_whole_user_id(both: Correspondents) -> None:
    listed = both.taro.must("--with-colons", "--list-keys", f"<{BOB}>").decode()
    primary, subkey = re.findall(r"^fpr:+([0-9A-F]{40}):", listed, re.MULTILINE)
    for name in (primary, f"0x{primary.lower()}", primary[24:], f"{subkey}!", f"=Bob <{BOB}>"):
        octets = PgpEncrypted([name], home=both.taro.home, always_trust=True).sign(SHAPES["dots"])
        assert both.bob.decrypted(octets).stdout == Inner.of(SHAPES["dots"]).entity
    for name in ("=Bob", f"=bob <{BOB}>", primary + "0" * 24, f"{primary}!"):
        with pytest.raises(Unsendable):
            PgpEncrypted([name], home=both.taro.home, always_trust=True).sign(SHAPES["dots"])


def test_an_address_is_not_part_of_another(both: Correspondents) -> None:
    with pytest.raises(Unsendable, match="there is no such key"):
        PgpEncrypted(["ob@example.org"], home=both.taro.home, always_trust=True).sign(SHAPES["dots"])


def test_many_threads_sign_with_one_signer(both: Correspondents, tmp_path: Path) -> None:
    signer = by_taro(both)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(signer.sign, [SHAPES["dots"]] * 8))
    assert all("GOODSIG" in both.bob.verdict(octets, tmp_path) for octets in found)
