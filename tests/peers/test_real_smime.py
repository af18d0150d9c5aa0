"""What we sign and encrypt, openssl verifies and decrypts: octet for octet what went in."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from functools import cache
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from signable_mail import FILE, NOTE, SHAPES

from ninsho import Client
from ninsho.mail.message import Submission
from ninsho.mail.signing.dkim import Dkim
from ninsho.mail.signing.inner import Inner
from ninsho.mail.signing.signer import signed
from ninsho.mail.signing.smime import SmimeEncrypted, SmimeSigned
from ninsho.testing import MailServer

Openssl = Callable[..., bytes]

each_shape = pytest.mark.parametrize("shape", SHAPES)
both_forms = pytest.mark.parametrize("form", ["detached", "opaque"])
both_keys = pytest.mark.parametrize("kind", ["rsa", "ec"])


@dataclass(frozen=True)
class Owner:
    """Somebody with a key, and the files that say so; ``authority`` signed the certificate, by way of a ``middle``."""

    certificate: bytes
    key: bytes
    authority: bytes
    middle: bytes

    def files(self, folder: Path) -> dict[str, Path]:
        found = {name: folder / f"{name}.pem" for name in self.__dataclass_fields__}
        for name, path in found.items():
            path.write_bytes(getattr(self, name))
        return found


@cache
def owner(kind: str, address: str = "taro@example.com") -> Owner:
    root, middle = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    key = rsa.generate_private_key(65537, 2048) if kind == "rsa" else ec.generate_private_key(ec.SECP256R1())
    authority = certified("authority", root.public_key(), by=("authority", root), ca=True)
    between = certified("middle", middle.public_key(), by=("authority", root), ca=True)
    own = certified(address, key.public_key(), by=("middle", middle), ca=False)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Owner(*(own, pem, authority, between))


def certified(name: str, key: object, *, by: tuple[str, ec.EllipticCurvePrivateKey], ca: bool) -> bytes:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, by[0])]))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if not ca:
        purposes = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(purposes, critical=False)
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.RFC822Name(name)]), critical=False)
    return builder.sign(by[1], hashes.SHA256()).public_bytes(Encoding.PEM)


@pytest.fixture
def openssl(require: Callable[..., str]) -> Openssl:
    """Return what runs openssl on a message, and returns what it makes of that."""
    program = require("openssl")

    def run(*arguments: object, octets: bytes) -> bytes:
        done = subprocess.run(
            [program, *map(str, arguments)], input=octets, capture_output=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    return run


def signer(one: Owner, **options: object) -> SmimeSigned:
    return SmimeSigned(one.certificate, one.key, chain=[one.middle], **options)


@each_shape
@both_forms
@both_keys
def test_openssl_verifies_what_is_signed(openssl: Openssl, tmp_path: Path, kind: str, form: str, shape: str) -> None:
    one = owner(kind)
    octets = signer(one, detached=form == "detached").sign(SHAPES[shape])
    for command in ("smime", "cms"):
        verified = openssl(command, "-verify", "-CAfile", one.files(tmp_path)["authority"], octets=octets)
        assert verified == Inner.of(SHAPES[shape]).entity


@each_shape
@pytest.mark.parametrize("cipher", ["aes-256-cbc", "aes-128-cbc"])
def test_openssl_decrypts_what_is_encrypted(openssl: Openssl, tmp_path: Path, cipher: str, shape: str) -> None:
    one, other = owner("rsa"), owner("rsa", "bob@example.org")
    octets = SmimeEncrypted([other.certificate, one.certificate], cipher=cipher).sign(SHAPES[shape])
    for recipient in (one, other):
        files = recipient.files(tmp_path)
        keys = ("-recip", files["certificate"], "-inkey", files["key"])
        for command in ("smime", "cms"):
            assert openssl(command, "-decrypt", *keys, octets=octets) == Inner.of(SHAPES[shape]).entity


@both_forms
def test_first_signed_then_encrypted_is_decrypted_and_verified(openssl: Openssl, tmp_path: Path, form: str) -> None:
    one = owner("rsa")
    octets = signed(
        SHAPES["trailing spaces"], [signer(one, detached=form == "detached"), SmimeEncrypted([one.certificate])]
    )
    files = one.files(tmp_path)
    inside = openssl("cms", "-decrypt", "-recip", files["certificate"], "-inkey", files["key"], octets=octets)
    kind = {"detached": b"multipart/signed", "opaque": b"application/pkcs7-mime"}[form]
    assert inside.startswith(b"Content-Type: " + kind)
    verified = openssl("cms", "-verify", "-CAfile", files["authority"], octets=inside)
    assert verified == Inner.of(SHAPES["trailing spaces"]).entity


@pytest.mark.parametrize("shape", [name for name in SHAPES if name.startswith("japanese")])
def test_what_was_written_is_what_is_read(openssl: Openssl, tmp_path: Path, shape: str) -> None:
    one = owner("rsa")
    octets = signer(one).sign(SHAPES[shape])
    verified = openssl("cms", "-verify", "-CAfile", one.files(tmp_path)["authority"], octets=octets)
    text, file = message_from_bytes(verified, policy=policy.default).iter_parts()
    assert text.get_content().replace("\r\n", "\n") == NOTE
    assert file.get_content() == FILE
    assert message_from_bytes(octets, policy=policy.default)["Subject"] == "お知らせ"


def test_what_was_changed_no_longer_verifies(require: Callable[..., str], tmp_path: Path) -> None:
    one = owner("rsa")
    octets = signer(one).sign(SHAPES["dots"]).replace(b".dot", b".Dot")
    command = [require("openssl"), "cms", "-verify", "-CAfile", one.files(tmp_path)["authority"]]
    assert subprocess.run(command, input=octets.replace(b".Dot", b".dot"), check=False, timeout=60).returncode == 0
    assert subprocess.run(command, input=octets, check=False, timeout=60).returncode == 4


@each_shape
@pytest.mark.parametrize("without", [(), ("CHUNKING", "8BITMIME")], ids=["BDAT", "DATA"])
def test_8_it_arrives_as_it_was_signed(openssl: Openssl, tmp_path: Path, shape: str, without: tuple[str, ...]) -> None:
    one, seed = owner("rsa"), "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="
    octets = signed(SHAPES[shape], [signer(one), Dkim("example.com", "s", seed)])
    with MailServer(without=without) as server:
        with Client(server.url) as client:
            client.send(Submission(octets, "taro@example.com", ["bob@example.org"]))
        [received] = server.wait_for()
    assert received.content == octets.replace(b"Bcc: secret@example.org\r\n", b"")
    verified = openssl("cms", "-verify", "-CAfile", one.files(tmp_path)["authority"], octets=received.content)
    assert verified == Inner.of(SHAPES[shape]).entity
