import re

import pytest

from ninsho.errors import ConfigurationError
from ninsho.mail.signing.dkim import Dkim
from ninsho.mail.signing.inner import Inner
from ninsho.mail.signing.pgp import PgpSigned
from ninsho.mail.signing.signer import signed
from ninsho.mail.unsendable import Unsendable

SEED = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="
MESSAGE = b"From: a@example.com\r\nSubject: x\r\n\r\nHello\r\n"


class Marked:
    def __init__(self, mark):
        self.mark = mark

    def sign(self, octets):
        return b"X-Mark: %d\r\n" % self.mark + octets


def test_signers_sign_one_after_the_other():
    octets = signed(MESSAGE, [Marked(1), Marked(2), Dkim("example.com", "s", SEED), Dkim("example.com", "t", SEED)])
    assert re.findall(rb"^(?:X-Mark: (\d)|DKIM-Signature:.*\r\n.*\r\n s=(\w))", octets, re.MULTILINE) == [
        (b"", b"t"),
        (b"", b"s"),
        (b"2", b""),
        (b"1", b""),
    ]
    assert signed(MESSAGE, []) is MESSAGE


def test_dkim_comes_last():
    with pytest.raises(ConfigurationError, match="expected DKIM behind all other signers, got PgpSigned behind it"):
        signed(MESSAGE, [Dkim("example.com", "s", SEED), PgpSigned("a@example.com")])


def test_what_is_no_signer_is_a_type_error():
    with pytest.raises(TypeError, match=r"expected signers such as Dkim\(\.\.\.\), got str"):
        signed(MESSAGE, ["dkim"])
    with pytest.raises(TypeError, match="expected a message as bytes, got str"):
        signed(MESSAGE.decode(), [Dkim("example.com", "s", SEED)])


@pytest.mark.parametrize("given", [Dkim("example.com", "s", SEED), None, {Marked(1)}, (Marked(n) for n in (1, 2))])
def test_signers_come_in_a_list(given):
    with pytest.raises(TypeError, match=f"sign: expected a list of signers such as .*, got {type(given).__name__}"):
        signed(MESSAGE, given)


def test_what_dkim_covers_is_not_signed_again():
    with pytest.raises(Unsendable, match=r"expected a message without dkim-signature, .*: DKIM comes last"):
        Inner.of(Dkim("example.com", "s", SEED).sign(MESSAGE))
