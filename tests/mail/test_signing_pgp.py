"""How gpg is asked; that it makes what other programs read is for tests/peers."""

import pickle
import re
import sys
from copy import deepcopy
from dataclasses import asdict, astuple, replace
from pathlib import Path

import pytest

from ninsho.errors import ConfigurationError
from ninsho.mail.signing.pgp import PgpEncrypted, PgpSigned
from ninsho.mail.unsendable import Unsendable

MESSAGE = b"From: a@example.com\r\nSubject: x\r\n\r\nHello\r\n"

# Writes down how it was called, and what came through the pipe.
PRETENDED = """\
#!{python}
import os, subprocess, sys
folder = os.path.dirname(sys.argv[0])
open(folder + "/arguments", "wb").write(b"\\n".join(map(os.fsencode, sys.argv[1:])))
for argument in sys.argv:
    if argument.startswith("--passphrase-fd="):
        open(folder + "/passphrase", "wb").write(os.read(int(argument.partition("=")[2]), 1000))
sys.stdin.buffer.read()
os.execl("/bin/sh", "sh", "-c", {answer!r})
"""
SIGNED = """\
echo '[GNUPG:] SIG_CREATED D 22 10 00 1709208000 0123456789ABCDEF' >&2
echo signature
"""


def pretended(folder: Path, answer: str) -> str:
    program = folder / "gpg"
    program.write_text(PRETENDED.format(python=sys.executable, answer=answer))
    program.chmod(0o755)
    return str(program)


def test_the_passphrase_goes_through_a_pipe(tmp_path):
    octets = PgpSigned("a@example.com", passphrase="tan staaf", program=pretended(tmp_path, SIGNED)).sign(MESSAGE)
    assert (tmp_path / "passphrase").read_text() == "tan staaf\n"
    arguments = (tmp_path / "arguments").read_text()
    assert "staaf" not in arguments
    assert arguments.split("\n")[:5] == ["--batch", "--no-tty", "--status-fd=2", "--armor", "--output=-"]
    assert "--local-user=<a@example.com>" in arguments
    assert b"micalg=pgp-sha512" in octets
    assert b"\r\nsignature\r\n" in octets


FINGERPRINT = "4466C29DC08690D30C0C563C7260CB7E6C9FCB40"


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("alice@example.com", "<alice@example.com>"),
        (FINGERPRINT, f"0x{FINGERPRINT}"),
        (f"0x{FINGERPRINT.lower()}!", f"0x{FINGERPRINT.lower()}!"),
        (FINGERPRINT[24:], f"0x{FINGERPRINT[24:]}"),
        (FINGERPRINT + FINGERPRINT[16:], f"0x{FINGERPRINT}{FINGERPRINT[16:]}"),
        ("=山田太郎 <taro@example.com>", "=山田太郎 <taro@example.com>"),
        ("--output=/tmp/x@example.com", "<--output=/tmp/x@example.com>"),
    ],
)
def test_a_key_is_named_so_that_no_other_is_meant(tmp_path, name, asked):
    program = pretended(tmp_path, "echo x")
    PgpEncrypted([name], hidden=[name], sign_with=name, home="-d", program=program).sign(MESSAGE)
    arguments = (tmp_path / "arguments").read_text(encoding="utf-8").split("\n")
    assert {f"--recipient={asked}", f"--hidden-recipient={asked}", f"--local-user={asked}"} < set(arguments)
    # A file with options of its own adds no one, and nothing is looked up in a network.
    assert {"--homedir=-d", "--utf8-strings", "--no-encrypt-to", "--no-auto-key-locate"} < set(arguments)


@pytest.mark.parametrize(
    "name",
    [
        *("*", "example.com", "alice", "alice@", "@example.com", "Alice <alice@example.com>", "-z", "=", "#1", "&A"),
        *("", "a\nb@c", "=a\0b", "=\ud800", FINGERPRINT[1:], FINGERPRINT[:8], "0x", "!", f"{FINGERPRINT}!!"),
    ],
)
def test_a_name_that_others_may_go_by_is_refused(name):
    for make, place in (
        (lambda: PgpSigned(name), "key_id"),
        (lambda: PgpEncrypted([name], always_trust=True), "recipients"),
        (lambda: PgpEncrypted([], hidden=[name]), "hidden"),
        (lambda: PgpEncrypted(["a@example.com"], sign_with=name), "sign_with"),
    ):
        with pytest.raises(ConfigurationError, match=f"^{place}: expected a fingerprint, an address or =User ID, got "):
            make()


def test_without_gpg_it_says_so(tmp_path):
    with pytest.raises(Unsendable, match="PGP/MIME needs the program /nowhere/gpg: No such file or directory"):
        PgpSigned("a@example.com", program="/nowhere/gpg").sign(MESSAGE)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            "echo '[GNUPG:] INV_RECP 10 b@example.com' >&2; exit 2",
            "'b@example.com': nobody here has said that the key is",
        ),
        ("echo '[GNUPG:] INV_SGNR 9 a' >&2; exit 2", "'a': there is no secret key"),
        ("echo '[GNUPG:] INV_SGNR 77 a' >&2; exit 2", "'a': the key cannot be used"),
        ("echo '[GNUPG:] BAD_PASSPHRASE 0' >&2; exit 2", "the passphrase is wrong"),
        ("echo '[GNUPG:] MISSING_PASSPHRASE' >&2; exit 2", "the key wants a passphrase"),
        ("echo 'gpg: signing failed: No pinentry' >&2; exit 2", "signing failed: No pinentry"),
        ("exit 2", "it failed, and said nothing"),
        ("exit 0", "it failed, and said nothing"),
        ("echo signature", "expected a signature with a known hash from gpg, got none"),
        ("exec sleep 60", "expected an end within 0.5 s, got none"),
    ],
)
def test_what_gpg_says_against_it_is_told(tmp_path, answer, words):
    program = pretended(tmp_path, answer)
    timeout = 0.5 if "sleep" in answer else 60
    with pytest.raises(Unsendable, match=re.escape(words)) as raised:
        PgpSigned("a@example.com", passphrase="tanstaaf", program=program, timeout=timeout).sign(MESSAGE)
    assert "tanstaaf" not in str(raised.value)


def test_words_that_cannot_work_are_refused():
    for make, words in (
        (lambda: signer(passphrase="tan\nstaaf"), "passphrase: expected one line, got control characters in it"),
        (lambda: signer(passphrase="さ" * 86), "passphrase: expected at most 255 octets, got more"),
        (lambda: PgpEncrypted([]), "recipients: expected names of keys, got none"),
        (lambda: signer(program="g\0pg"), "program: expected the name of a program, got 'g\\x00pg'"),
        (lambda: signer(program=""), "program: expected the name of a program, got ''"),
        (lambda: signer(home="/home\0"), "home: expected the path of a folder, got '/home\\x00'"),
        (lambda: signer(home="\ud800"), "home: expected the path of a folder, got '\\ud800'"),
    ):
        with pytest.raises(ConfigurationError, match=re.escape(words)) as raised:
            make()
        assert "staaf" not in str(raised.value)


def test_what_is_of_another_type_is_told():
    for make, words in (
        (lambda: PgpEncrypted("a@example.com"), "recipients: expected a list of names, got a str"),
        (
            lambda: PgpEncrypted(["a@example.com"], hidden="b@example.com"),
            "hidden: expected a list of names, got a str",
        ),
        (lambda: PgpSigned(5), "key_id: expected a str, got int"),
        (lambda: PgpEncrypted([b"a@example.com"]), "recipients: expected a str, got bytes"),
        (lambda: signer(passphrase=b"tanstaaf"), "passphrase: expected a str, got bytes"),
        (lambda: signer(home=5), "home: expected a path, got int"),
        (lambda: signer(program=5), "program: expected a str, got int"),
    ):
        with pytest.raises(TypeError, match=re.escape(words)) as raised:
            make()
        assert "staaf" not in str(raised.value)


def signer(**options):
    return PgpSigned("a@example.com", **options)


each_kind = pytest.mark.parametrize(
    "made", [signer(passphrase="tanstaaf"), PgpEncrypted(["a@example.com"], passphrase="tanstaaf")]
)


@each_kind
def test_a_passphrase_is_shown_by_nothing(made):
    shown = (repr, asdict, astuple, lambda one: one.passphrase, lambda one: one._gpg, deepcopy)
    assert not any("tanstaaf" in repr(show(made)) for show in shown)
    # What was refused leaves nothing behind either.
    with pytest.raises((TypeError, AttributeError, pickle.PicklingError)) as raised:
        pickle.dumps(made)
    assert "tanstaaf" not in str(raised.value)


def test_without_a_passphrase_it_may_be_pickled():
    assert pickle.loads(pickle.dumps(signer())).key_id == "a@example.com"


def test_a_passphrase_is_not_forgotten(tmp_path):
    made = signer(passphrase="tan staaf", program=pretended(tmp_path, SIGNED))
    replace(made, timeout=3).sign(MESSAGE)
    assert (tmp_path / "passphrase").read_text() == "tan staaf\n"
    replace(made, passphrase="other").sign(MESSAGE)
    assert (tmp_path / "passphrase").read_text() == "other\n"
    (tmp_path / "passphrase").unlink()
    replace(made, passphrase=None).sign(MESSAGE)
    assert not (tmp_path / "passphrase").exists()


def test_the_longest_passphrase_goes_through(tmp_path):
    signer(passphrase="x" * 255, program=pretended(tmp_path, SIGNED)).sign(MESSAGE)
    assert (tmp_path / "passphrase").read_text() == "x" * 255 + "\n"
