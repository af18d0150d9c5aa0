"""What Dovecot's own tests send first by each mechanism: taken or refused as there, and never more than refused."""

import json
from base64 import b64encode
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from dialogue import Scene
from ninsho.sasl.dialogue import Inspection
from ninsho.sasl.digest_md5 import DIGEST_MD5, digest_md5
from ninsho.sasl.registry import BUILTIN

ROWS = json.loads((Path(__file__).parent.parent / "vectors" / "first_messages.json").read_text())
# Dovecot takes a NUL in a trace, which RFC 4505 §2 forbids, and DIGEST-MD5 without a response or with a digest-uri that
# is not quoted, which RFC 2831 §2.1.2 wants.
STRICTER = {"\0any \0 bad \0 content", *(row["text"] for row in ROWS if "digest-uriresponse=" in row["text"])} | {
    row["text"] for row in ROWS if "digest-uri=imap/" in row["text"]
}
DIGEST = replace(DIGEST_MD5, server=partial(digest_md5, realms=("example.com",), nonce=lambda: b"OA6MG9tEQGm2hh"))


class AnyToken:
    """Takes every token, as that of *username*."""

    def __init__(self, username):
        self.username = username

    def inspect(self, token):
        return Inspection(self.username if token else None)


def talk(row):
    """The last line that the server says, and its log."""
    scene = Scene(own=[DIGEST])
    scene.policy.user_base._tokens = AnyToken(row["username"])
    certificate = "\tvalid-client-cert\tcert_username=testuser" if row["username_from_cert"] else ""
    message = b64encode(row["text"].encode()).decode() or "="
    initial = "" if row["mechanism"] in {"DIGEST-MD5", "CRAM-MD5"} else f"\tresp={message}"
    scene.say(f"VERSION\t1\t2\nCPID\t7\nAUTH\t1\t{row['mechanism']}\tservice=smtp{certificate}{initial}\n".encode())
    if not initial:
        assert scene.hear()[0].startswith((b"CONT\t1\t", b"FAIL"))
        scene.say(f"CONT\t1\t{message}\n".encode())
    scene.shell.elapse(3)
    (line,) = scene.hear()
    assert not scene.shell.closed
    return scene, line


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['mechanism']} {row['text'][:60]!r}")
def test_first_messages_end_as_in_dovecot(row):
    if row["mechanism"] not in BUILTIN:
        # APOP is POP3's alone, and DOVECOT-TOKEN Dovecot's.
        scene, line = Scene(), b""
        scene.say(b"VERSION\t1\t2\nCPID\t7\nAUTH\t1\t%s\tservice=smtp\n" % row["mechanism"].encode())
        assert scene.hear() == [b"FAIL\t1\treason=Unsupported authentication mechanism"]
        return
    scene, line = talk(row)
    taken = row["success"] and row["text"] not in STRICTER
    while not taken and line.startswith(b"CONT"):
        scene.say(b"CONT\t1\t=\n")
        scene.shell.elapse(3)
        (line,) = scene.hear()
    if taken:
        # Whether the password is right is not the question here.
        assert not any("cause=badprotocol" in entry for entry in scene.log), scene.log
        assert line.startswith((b"CONT", b"OK", b"FAIL\t1\tuser="))
    else:
        assert line.startswith(b"FAIL\t1\t")
