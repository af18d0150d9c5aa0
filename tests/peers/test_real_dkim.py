"""What we sign, others verify: opendkim both algorithms, Mail::DKIM (of Debian 12) RSA only; also behind mail servers."""

import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

import dkim_verifiers
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from mail_server import USER, MailServer

from ninsho import Client
from ninsho.mail.message import Submission
from ninsho.mail.signing.dkim import Dkim
from ninsho.mail.signing.signer import signed
from ninsho.testing import MailServer as OurMailServer

Verify = Callable[[bytes], dict[str, str]]

HEAD = """\
From: =?utf-8?B?5bGx55Sw5aSq6YOO?= <taro@example.com>
To: Bob <bob@example.org>,
\tAnn  <ann@example.org>
Subject: =?iso-2022-jp?B?GyRCJCpDTiRpJDsbKEI=?=
 =?iso-2022-jp?B?GyRCJCpDTiRpJDsbKEI=?=
Date: Mon, 01 Jan 2024 09:00:00 +0900
Message-ID: <1@example.com>
List-Unsubscribe: <https://example.com/u?x=1>
List-Unsubscribe-Post: List-Unsubscribe=One-Click
MIME-Version: 1.0
""".replace("\n", "\r\n").encode()

SHAPES = {
    "text": b"Content-Type: text/plain; charset=us-ascii\r\n\r\nHello,  you\t there \r\n\r\n.\r\nFrom x\r\n\r\n\r\n",
    "8-bit": "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n認証しました\r\n".encode(),
    "iso-2022-jp": b"Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n" + "認証しました\r\n".encode("iso2022_jp"),
    "long lines": b"\r\n" + b"x" * 2000 + b"\r\n",
    "no line end": b"\r\nHello",
    "blank lines": b"\r\n\r\n \r\n\t\r\n\r\n",
    "empty body": b"\r\n",
    "no body": b"",
}
COMBINATIONS = [(head, body) for head in ("simple", "relaxed") for body in ("simple", "relaxed")]
each_shape = pytest.mark.parametrize("shape", SHAPES)
each_combination = pytest.mark.parametrize("canonicalization", COMBINATIONS, ids="/".join)


@cache
def keys() -> dict[str, bytes]:
    made = {"rsa": rsa.generate_private_key(65537, 2048), "ed25519": ed25519.Ed25519PrivateKey.generate()}
    return {name: key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) for name, key in made.items()}


def signers(**options: object) -> list[Dkim]:
    return [Dkim("example.com", name, key, **options) for name, key in keys().items()]


@pytest.fixture
def opendkim(require: Callable[..., str], tmp_path: Path) -> Verify:
    program = require("opendkim")
    return lambda octets: dkim_verifiers.opendkim(program, tmp_path, octets, signers())


@pytest.fixture
def mail_dkim(require: Callable[..., str], tmp_path: Path) -> Verify:
    perl = require("perl")
    if subprocess.run([perl, "-MMail::DKIM", "-e", "1"], capture_output=True, check=False).returncode:
        require("the Perl module Mail::DKIM")
    return lambda octets: dkim_verifiers.mail_dkim(perl, tmp_path, octets, signers())


@each_shape
@each_combination
def test_80_opendkim_verifies_both_algorithms(opendkim: Verify, shape: str, canonicalization: tuple[str, str]) -> None:
    octets = signed(HEAD + SHAPES[shape], signers(canonicalization=canonicalization))
    assert opendkim(octets) == {"rsa": "pass", "ed25519": "pass"}


@each_shape
@each_combination
def test_80_mail_dkim_verifies_rsa(mail_dkim: Verify, shape: str, canonicalization: tuple[str, str]) -> None:
    octets = signed(HEAD + SHAPES[shape], signers(canonicalization=canonicalization))
    assert mail_dkim(octets)["rsa"] == "pass"


@pytest.mark.parametrize(
    "field",
    [b"Cc : a@example.com", b"Cc:a@example.com \t", b"Cc:", b"Cc: ", b"Sender:\r\n\ta@example.com", b"Cc: \r\n  x"],
)
def test_80_fields_of_odd_shapes_verify(opendkim: Verify, mail_dkim: Verify, field: bytes) -> None:
    message = HEAD + field + b"\r\n\r\nHello\r\n"
    # As simple ones opendkim's test mode reads some of them with another white space.
    assert opendkim(signed(message, signers())) == {"rsa": "pass", "ed25519": "pass"}
    for canonicalization in COMBINATIONS:
        assert mail_dkim(signed(message, signers(canonicalization=canonicalization)))["rsa"] == "pass"


def test_what_was_changed_no_longer_verifies(opendkim: Verify, mail_dkim: Verify) -> None:
    octets = signed(HEAD + SHAPES["text"], signers())
    assert opendkim(octets.replace(b"Hello", b"Hallo")) == {"rsa": "fail", "ed25519": "fail"}
    assert opendkim(b"Subject: another\r\n" + octets)["rsa"] == "fail"
    assert mail_dkim(octets.replace(b"Hello", b"Hallo"))["rsa"] == "fail (body has been altered)"
    assert mail_dkim(b"Subject: another\r\n" + octets)["rsa"] == "fail (message has been altered)"
    assert mail_dkim(octets.replace(b"\r\nDate", b"\r\nReply-To: x@evil.example\r\nDate"))["rsa"].startswith("fail")


def submitted(octets: bytes, without: tuple[str, ...]) -> bytes:
    """What a server receives of *octets*."""
    with OurMailServer(without=without) as server:
        with Client(server.url) as client:
            client.send(Submission(octets, "taro@example.com", ["bob@example.org"]))
        [received] = server.wait_for()
        return received.content


@each_shape
@pytest.mark.parametrize("without", [(), ("CHUNKING",), ("CHUNKING", "8BITMIME", "SMTPUTF8")], ids="-".join)
def test_11_the_octets_received_are_the_octets_signed(shape: str, without: tuple[str, ...]) -> None:
    octets = signed(b"Bcc: secret@example.org\r\n" + HEAD + SHAPES[shape], signers())
    received = submitted(octets, without)
    assert received == octets.replace(b"Bcc: secret@example.org\r\n", b"")


def test_11_what_a_server_receives_verifies(opendkim: Verify) -> None:
    octets = signed(b"Bcc: secret@example.org\r\n" + HEAD + SHAPES["8-bit"], signers())
    received = submitted(octets, ("8BITMIME",))
    assert b"secret" not in received
    assert opendkim(received) == {"rsa": "pass", "ed25519": "pass"}


def test_11_what_real_servers_deliver_verifies(mail_server: MailServer, opendkim: Verify) -> None:
    recipient = mail_server.recipient()
    octets = signed(HEAD + SHAPES["text"], signers())
    login = {"username": mail_server.username, "password": mail_server.password}
    with Client(host=mail_server.host, port=mail_server.tls_port, tls="implicit", ca=mail_server.ca, **login) as client:
        assert client.send(Submission(octets, USER, [recipient])).ok
    [arrival] = mail_server.arrived(recipient)
    assert arrival.message == octets
    assert opendkim(arrival.message) == {"rsa": "pass", "ed25519": "pass"}
