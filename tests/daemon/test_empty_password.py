"""An account that stores an empty password lets nobody in, whichever mechanism is asked."""

import base64
import hmac
from collections.abc import Callable, Iterator
from hashlib import md5, pbkdf2_hmac, sha256
from typing import TypeAlias

import pytest

import dialogue
from dialogue import Scene
from ninsho.stores.accounts import Account

# What somebody says who knows the user's name and no password; the server's challenges are sent to it.
Talk: TypeAlias = Iterator[bytes]

NONCE = b"fyko+d2lbbFgONRv9qkxdawL"
FORMS = ("{PLAIN}", "{PLAIN.b64}", "{PLAIN.hex}", "{CLEARTEXT}")


def plain():
    yield b"\0u\0"


def cram_md5():
    challenge = yield b""
    yield b"u " + hmac.digest(b"", challenge, "md5").hex().encode()


def digest_md5():
    challenge = yield b""
    nonce = challenge.partition(b'nonce="')[2].partition(b'"')[0]
    secret = md5(md5(b"u::").digest() + b":" + nonce + b":" + NONCE).hexdigest().encode()
    action = md5(b"AUTHENTICATE:smtp/host").hexdigest().encode()
    response = md5(b":".join((secret, nonce, b"00000001", NONCE, b"auth", action))).hexdigest().encode()
    yield (
        b'charset=utf-8,username="u",nonce="%b",nc=00000001,cnonce="%b",digest-uri="smtp/host",qop=auth,response=%b'
        % (nonce, NONCE, response)
    )
    yield b""


def scram_sha_256():
    challenge = yield b"n,,n=u,r=" + NONCE
    nonce, salt, iterations = (part[2:] for part in challenge.split(b","))
    salted = pbkdf2_hmac("sha256", b"", base64.b64decode(salt), int(iterations))
    key = hmac.digest(salted, b"Client Key", "sha256")
    unproved = b"c=biws,r=" + nonce
    conversation = b"n=u,r=%b,%b,%b" % (NONCE, challenge, unproved)
    signature = hmac.digest(sha256(key).digest(), conversation, "sha256")
    proof = bytes(one ^ other for one, other in zip(key, signature, strict=True))
    yield unproved + b",p=" + base64.b64encode(proof)
    yield b""


TALKS: dict[str, Callable[[], Talk]] = {
    "PLAIN": plain,
    "CRAM-MD5": cram_md5,
    "DIGEST-MD5": digest_md5,
    "SCRAM-SHA-256": scram_sha_256,
}


def said(mechanism: str) -> list[bytes]:
    """All that the server says to somebody who tries *mechanism* with no password."""
    scene, talk = Scene(), TALKS[mechanism]()
    scene.say(b"VERSION\t1\t2\nCPID\t7\n")
    first = next(talk)
    initial = b"\tresp=" + base64.b64encode(first) if first else b""
    scene.say(b"AUTH\t1\t%b\tservice=smtp%b\n" % (mechanism.encode(), initial))
    heard = new = scene.hear()
    while new and new[-1].startswith(b"CONT"):
        response = talk.send(base64.b64decode(new[-1].split(b"\t")[2]))
        scene.say(b"CONT\t1\t%b\n" % base64.b64encode(response))
        while scene.shell.waiting:
            scene.shell.settle()
        new = scene.hear()
        heard += new
    scene.shell.elapse(10)
    return heard + scene.hear()


@pytest.mark.parametrize("mechanism", TALKS)
@pytest.mark.parametrize("form", FORMS)
def test_nobody_is_let_in(monkeypatch: pytest.MonkeyPatch, form: str, mechanism: str) -> None:
    monkeypatch.setitem(dialogue.ACCOUNTS, "u", Account("u", (form,)))
    heard = said(mechanism)
    assert heard[-1].startswith(b"FAIL\t1\t")
    assert not [line for line in heard if line.startswith(b"OK")]


@pytest.mark.parametrize("mechanism", TALKS)
def test_a_wrong_password_looks_the_same_to_these_talks(mechanism: str) -> None:
    assert said(mechanism)[-1].startswith(b"FAIL\t1\t")
