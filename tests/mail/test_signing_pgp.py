"""How gpg is asked; that it makes what other programs read is for tests/peers."""

import re
import sys
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
open(folder + "/arguments", "w").write("\\n".join(sys.argv[1:]))
for argument in sys.argv:
    if argument.startswith("--passphrase-fd="):
        open(folder + "/passphrase", "wb").write(os.read(int(argument.partition("=")[2]), 100))
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


def test_names_are_never_options(tmp_path):
    program = pretended(tmp_path, "echo x")
    PgpEncrypted(["--output=/tmp/x", "-z"], hidden=["-h"], sign_with="-u", home="-d", program=program).sign(MESSAGE)
    assert set((tmp_path / "arguments").read_text().split("\n")) >= {
        *("--recipient=--output=/tmp/x", "--recipient=-z", "--hidden-recipient=-h", "--local-user=-u", "--homedir=-d"),
    }


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
        (lambda: PgpSigned(""), "key_id: expected the name of a key, got ''"),
        (lambda: PgpSigned("a\nb"), "key_id: expected the name of a key"),
        (
            lambda: PgpSigned("a", passphrase="tan\nstaaf"),
            "passphrase: expected one line, got control characters in it",
        ),
        (lambda: PgpEncrypted([]), "recipients: expected names of keys, got none"),
        (lambda: PgpEncrypted(["a", ""]), "recipients: expected the name of a key"),
        (lambda: PgpEncrypted(["a"], sign_with=""), "recipients: expected the name of a key, got ''"),
        (lambda: PgpEncrypted(["a"], sign_with="\0"), "recipients: expected the name of a key"),
    ):
        with pytest.raises(ConfigurationError, match=re.escape(words)) as raised:
            make()
        assert "staaf" not in str(raised.value)
    with pytest.raises(TypeError, match="recipients: expected a list of names, got a str"):
        PgpEncrypted("a@example.com")


def test_no_passphrase_is_in_the_repr():
    for signer in (PgpSigned("a", passphrase="tanstaaf"), PgpEncrypted(["a"], passphrase="tanstaaf")):
        assert "tanstaaf" not in repr(signer)
        assert "tanstaaf" not in repr(signer._gpg)
