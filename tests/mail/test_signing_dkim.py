"""DKIM signatures read by dkimpy, which shares no line with ours; other programs read them in tests/peers."""

import base64
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from ninsho.errors import ConfigurationError
from ninsho.mail.signing.dkim import Dkim
from ninsho.mail.signing.dkim_canonical import fields_in_order, relaxed_body, relaxed_field, simple_body, simple_field
from ninsho.mail.unsendable import Unsendable

# RFC 8463 §A.1, §A.2
SEED = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="
PUBLIC = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
# RFC 8463 §A.3
DINNER = b"""\
From: Joe SixPack <joe@football.example.com>
To: Suzie Q <suzie@shopping.example.net>
Subject: Is dinner ready?
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
Message-ID: <20030712040037.46341.5F8J@football.example.com>

Hi.

We lost the game.  Are you hungry yet?

Joe.
""".replace(b"\n", b"\r\n")

COMBINATIONS = [(head, body) for head in ("simple", "relaxed") for body in ("simple", "relaxed")]
each_combination = pytest.mark.parametrize("canonicalization", COMBINATIONS, ids="/".join)


@cache
def rsa_key(bits=2048):
    return rsa.generate_private_key(65537, bits)


def pem(key, password=None):
    encryption = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption).decode()


def by_rsa(**options):
    return Dkim("example.com", "rsa", pem(rsa_key()), **options)


def by_ed25519(**options):
    return Dkim("football.example.com", "brisbane", SEED, **options)


def verified(octets, *signers):
    """What dkimpy says of each signature, from the first line down."""
    records = {f"{one.selector}._domainkey.{one.domain}.".encode(): one.record.encode() for one in signers}
    message = dkim.DKIM(octets)
    return [message.verify(idx, dnsfunc=lambda name, **_: records[name]) for idx in range(len(signers))]


def tags(octets):
    field = octets.split(b"\r\nFrom:")[0].partition(b":")[2].decode()
    return dict(tag.strip().split("=", 1) for tag in re.sub(r"\s+", "", field).split(";"))


def test_the_canonical_forms_are_those_of_the_rfc():  # RFC 6376 §3.4.5
    header, body = b"A: X \r\nB : Y\t\r\n\tZ  \r\n", b" C \r\nD \t E\r\n\r\n\r\n"
    fields = fields_in_order(header)
    assert b"".join(map(relaxed_field, fields)) == b"a:X\r\nb:Y Z\r\n"
    assert b"".join(map(simple_field, fields)) == header
    assert relaxed_body(body) == b" C\r\nD E\r\n"
    assert simple_body(body) == b" C \r\nD \t E\r\n"


def test_an_empty_body_has_the_hash_that_the_rfc_says():  # RFC 6376 §3.4.3, §3.4.4
    assert base64.b64encode(sha256(simple_body(b"")).digest()) == b"frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY="
    assert base64.b64encode(sha256(relaxed_body(b"")).digest()) == b"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="


def test_the_message_of_rfc_8463_has_its_body_hash():
    signer = by_ed25519()
    octets = signer.sign(DINNER)
    assert signer.record == f"v=DKIM1; k=ed25519; p={PUBLIC}"
    assert tags(octets)["bh"] == "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8="
    assert octets.endswith(DINNER)
    assert verified(octets, signer) == [True]


@each_combination
@pytest.mark.parametrize("make", [by_rsa, by_ed25519])
def test_80_both_algorithms_in_all_canonical_forms(make, canonicalization):
    signer = make(canonicalization=canonicalization)
    octets = signer.sign(DINNER)
    assert verified(octets, signer) == [True]
    assert not verdict_of(octets.replace(b"hungry", b"thirsty"), signer)
    assert not verdict_of(octets.replace(b"dinner", b"supper"), signer)


def verdict_of(octets, signer):
    try:
        return verified(octets, signer) == [True]
    except dkim.DKIMException:
        return False


def test_two_signers_sign_both():
    signers = by_rsa(), by_ed25519()
    assert verified(signers[0].sign(signers[1].sign(DINNER)), *signers) == [True, True]


@pytest.mark.parametrize(
    "name", ["From", "Subject", "To", "Date", "Reply-To", "Cc", "Content-Type", "List-Unsubscribe"]
)
def test_80_no_second_field_can_be_added(name):
    signer = by_ed25519()
    octets = signer.sign(DINNER)
    assert verdict_of(octets, signer)
    assert not verdict_of(octets.replace(b"From:", f"{name}: x@evil.example\r\nFrom:".encode(), 1), signer)
    assert not verdict_of(octets.replace(b"\r\n\r\nHi.", f"\r\n{name}: x@evil.example\r\n\r\nHi.".encode(), 1), signer)


@pytest.mark.parametrize("name", ["Date", "Message-ID", "Sender"])
def test_what_a_submission_server_may_add_can_be_added(name):
    signer = by_ed25519()
    octets = signer.sign(b"From: joe@football.example.com\r\n\r\nHi.\r\n")
    assert verdict_of(octets, signer)
    assert verdict_of(octets.replace(b"\r\n\r\n", f"\r\n{name}: added\r\n\r\n".encode(), 1), signer)


def test_list_unsubscribe_post_is_covered():  # RFC 8058 §4
    signer = by_ed25519()
    both = b"List-Unsubscribe: <https://example.com/u>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    octets = signer.sign(both + DINNER)
    assert tags(octets)["h"].count("List-Unsubscribe-Post") == 2
    assert not verdict_of(octets.replace(b"One-Click", b"Two-Clicks"), signer)


def test_10_blind_copies_are_not_covered():
    signer = by_ed25519()
    octets = signer.sign(b"Bcc: secret@example.com\r\nResent-Bcc: other@example.com\r\n" + DINNER)
    assert verdict_of(octets, signer)
    blind = b"Bcc: secret@example.com\r\nResent-Bcc: other@example.com\r\n"
    assert verdict_of(octets.replace(blind, b""), signer)


def test_of_several_fields_of_a_name_all_are_covered():
    signer = by_ed25519(headers=["Comments"])
    octets = signer.sign(b"Comments: one\r\nComments: two\r\n" + DINNER)
    assert tags(octets)["h"].startswith("From:From:Comments:Comments:")
    assert verdict_of(octets, signer)
    for word in (b"one", b"two"):
        assert not verdict_of(octets.replace(word, b"three"), signer)


def test_80_line_ends_are_made_before_the_signature():
    signer = by_ed25519()
    assert signer.sign(DINNER.replace(b"\r\n", b"\n")).split(b"\r\nFrom:")[1] == DINNER.partition(b"From:")[2]
    assert verdict_of(signer.sign(DINNER.replace(b"\r\n", b"\n")), signer)


@pytest.mark.parametrize(
    "tail", [b"", b"\r\n", b"\r\n\r\n\r\n", b"\r\nno line end", b"\r\n \t \r\n", b"\r\n.\r\n..\r\n"]
)
@each_combination
def test_bodies_of_all_shapes(tail, canonicalization):
    signer = by_ed25519(canonicalization=canonicalization)
    assert verdict_of(signer.sign(b"From: a@football.example.com\r\nSubject: x\r\n" + tail), signer)


def test_8_eight_bit_text_is_encoded_before_the_signature():
    message = DINNER.replace(b"Hi.", "こんにちは".encode()).replace(b"is", b"is" + b"x" * 1200)
    signer = by_ed25519()
    octets = signer.sign(message)
    assert octets.isascii()
    assert max(map(len, octets.split(b"\r\n"))) <= 998
    assert verdict_of(octets, signer)


@pytest.mark.parametrize("body", ["é\r\n".encode(), b"x" * 999 + b"\r\n", b"a\0b\r\n"])
def test_8_told_so_it_refuses_what_would_be_written_anew(body):
    message = b"From: a@football.example.com\r\n\r\n" + body
    with pytest.raises(Unsendable, match="expected a message of ASCII in lines of at most 998 octets to sign, got one"):
        by_ed25519(eight_bit="refuse").sign(message)
    signer = by_ed25519(eight_bit="keep")
    assert signer.sign(message).endswith(message)
    assert verdict_of(signer.sign(message), signer)


def test_the_signature_says_when_and_for_how_long():
    now = datetime(2024, 2, 29, 12, tzinfo=UTC)
    found = tags(by_ed25519(now=lambda: now, expires=timedelta(days=7)).sign(DINNER))
    assert (found["t"], found["x"]) == ("1709208000", "1709812800")
    assert "x" not in tags(by_ed25519().sign(DINNER))


def test_an_identity_is_of_the_domain_or_below_it():
    signer = by_ed25519(identity="joe@mail.football.example.com")
    octets = signer.sign(DINNER)
    assert tags(octets)["i"] == "joe@mail.football.example.com"
    assert verdict_of(octets, signer)
    for wrong in ("joe@example.com", "joe@notfootball.example.com", "football.example.com", "a;b@football.example.com"):
        with pytest.raises(ConfigurationError, match="identity: expected"):
            by_ed25519(identity=wrong)


def test_domains_are_written_as_the_dns_knows_them():
    assert b"d=xn--wgv71a119e.jp;" in Dkim("日本語.jp", "s", SEED).sign(DINNER)


def test_long_domains_are_not_folded():
    domain = ".".join(["x" * 60] * 4)
    octets = Dkim(domain, "s" * 60, SEED).sign(DINNER)
    assert f"\r\n d={domain};\r\n".encode() in octets
    signer = Dkim(domain, "s" * 60, SEED)
    assert verdict_of(signer.sign(DINNER), signer)


@pytest.mark.parametrize("domain", ["", "example..com", "a b", "x;y", ".example.com", "x\r\ny", "a" * 64 + "é.jp"])
def test_what_is_no_domain_is_refused(domain):
    for domain_and_selector in ((domain, "s"), ("example.com", domain)):
        with pytest.raises(ConfigurationError, match=r"^(domain|selector): "):
            Dkim(*domain_and_selector, SEED)


@pytest.mark.parametrize(
    "name", ["Bcc", "resent-BCC", "Received", "Return-Path", "DKIM-Signature", "a:b", "", "x;y", "x\r\n"]
)
def test_what_must_not_be_signed_is_refused(name):
    with pytest.raises(ConfigurationError, match="headers: expected header fields that DKIM may sign"):
        by_ed25519(headers=["Subject", name])
    with pytest.raises(ConfigurationError, match="headers: expected header fields that DKIM may sign"):
        by_ed25519(oversign=[name])


def test_other_words_that_cannot_work_are_refused():
    for options in (
        {"canonicalization": ("relaxed", "nowsp")},
        {"canonicalization": ("relaxed",)},
        {"canonicalization": ("relaxed", "relaxed", "simple")},
        {"canonicalization": ()},
        {"canonicalization": "relaxed"},
        {"canonicalization": "relaxed/relaxed"},
        {"canonicalization": ("relaxed", ["simple"])},
        {"canonicalization": None},
        {"expires": timedelta()},
        {"eight_bit": "maybe"},
    ):
        with pytest.raises(ConfigurationError, match=f"^{next(iter(options))}: expected "):
            by_ed25519(**options)
    with pytest.raises(TypeError, match="got a str"):
        by_ed25519(headers="Subject")
    with pytest.raises(TypeError, match="expires: expected a timedelta, got int"):
        by_ed25519(expires=5)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (b"To: x@example.com\r\n", "expected one From to sign, got 0"),
        (b"From: a@example.com\r\nFrom: b@example.com\r\n", "expected one From to sign, got 2"),
        (b"From: a@example.com\r\nno field\r\n", "expected header fields to sign, got b'no field'"),
        (b" folded first\r\nFrom: a@example.com\r\n", "expected header fields to sign"),
        (b"From: a@example.com\rX: b\r\n", "lone CR"),
        *(
            (b"From: a@example.com\r\nSubject: a%cb\r\n" % octet, "subject: expected no control characters in a")
            for octet in b"\x01\x0b\x0c\x1c\x1f\x7f"
        ),
    ],
)
def test_headers_that_verifiers_would_read_in_two_ways_are_refused(header, words):
    with pytest.raises(Unsendable, match=re.escape(words)):
        by_ed25519().sign(header + b"\r\nHi.\r\n")


@each_combination
def test_what_looks_odd_in_a_header_and_is_read_by_all_is_signed(canonicalization):
    signer = by_ed25519(canonicalization=canonicalization)
    head = b'From:a@football.example.com\r\nX-Other: a\x0bb\r\nSubject:\t \x1b$B$"\x1b(B\r\n\tb\r\n'
    assert verdict_of(signer.sign(head + b"\r\nHi.\r\n"), signer)


@each_combination
def test_no_white_space_is_left_before_a_colon(canonicalization):  # RFC 5322 §4.5
    signer = by_ed25519(canonicalization=canonicalization)
    odd = b"From : a@football.example.com\r\nSubject\t \t:x\r\n y :z\r\n\r\nHi :\r\n"
    octets = signer.sign(odd)
    assert octets.endswith(b"\r\nFrom: a@football.example.com\r\nSubject:x\r\n y :z\r\n\r\nHi :\r\n")
    assert verdict_of(octets, signer)
    with pytest.raises(
        Unsendable, match="a colon right behind each name in a header that is signed already, got white"
    ):
        signer.sign(b"DKIM-Signature: v=1\r\n" + odd)


def test_keys_are_read_in_all_their_forms(tmp_path):
    key = rsa_key()
    der = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    file = tmp_path / "key.pem"
    file.write_text(pem(key))
    windows = pem(key).replace("\n", "\r\n")
    records = {
        Dkim("example.com", "s", given).record
        for given in (pem(key), pem(key).encode(), windows, file, der, base64.encodebytes(der).decode())
    }
    assert len(records) == 1
    assert Dkim("example.com", "s", pem(key, "secret"), password="secret").record in records
    ed = ed25519.Ed25519PrivateKey.from_private_bytes(base64.b64decode(SEED))
    assert {Dkim("a.b", "s", k).record for k in (SEED, SEED.encode(), base64.b64decode(SEED), pem(ed))} == {
        f"v=DKIM1; k=ed25519; p={PUBLIC}"
    }


def test_a_wrong_key_is_told_and_never_shown(tmp_path):
    broken = pem(rsa_key()).replace("MII", "XXX", 1)
    elsewhere = pem(ec.generate_private_key(ec.SECP256R1()))
    weak = """\
-----BEGIN RSA PRIVATE KEY-----
MIIBOQIBAAJBAL9r
-----END RSA PRIVATE KEY-----
"""
    for key, password, words in (
        (broken, None, "key: expected a private key in PEM, DER or base64, got none that can be read"),
        (weak, None, "key: expected a private key in PEM, DER or base64, got none that can be read"),
        (pem(rsa_key(), "secret"), None, "got an encrypted one, and no password"),
        (pem(rsa_key(), "secret"), "wrong-password", "got none that can be read, or the password is wrong"),
        (pem(rsa_key()), "needless-password", "got a password, and a key that has none"),
        (elsewhere, None, "key: expected one for RSA or Ed25519, got one for "),
        ("/etc/dkim.pem", None, "got none that can be read (a file is named by a Path)"),
        ("", None, "got none that can be read"),
        (b"\0\1\2", None, "got none that can be read"),
        (tmp_path / "missing.pem", None, "missing.pem: cannot be read: No such file or directory"),
        (tmp_path / "a\0b", None, "key: expected the path of a file, got "),
        (tmp_path / "\ud800", None, "key: expected the path of a file, got "),
        ("\ud800" + SEED, None, "got none that can be read"),
    ):
        with pytest.raises(ConfigurationError, match=re.escape(words)) as raised:
            Dkim("example.com", "s", key, password=password)
        shown = str(raised.value)
        assert "password-" not in shown
        assert "-password" not in shown
        assert not re.search(r"[A-Za-z0-9+/]{24}", shown.replace(str(tmp_path), ""))
        assert raised.value.__cause__ is None
    with pytest.raises(TypeError, match="key: expected PEM text, bytes or a Path, got NoneType"):
        Dkim("example.com", "s", None)
    with pytest.raises(TypeError, match="password: expected a str or bytes, got int"):
        Dkim("example.com", "s", pem(rsa_key(), "secret"), password=5)


def test_rsa_keys_that_verifiers_refuse_are_refused():  # RFC 8301 §3.2
    numbers = _small_rsa()
    with pytest.raises(ConfigurationError, match="key: expected one of at least 1024 bits, got one of 512"):
        Dkim("example.com", "s", numbers)
    Dkim("example.com", "s", pem(rsa_key(1024)))


def _small_rsa():
    # Two primes of 256 bits, which anybody may know.
    p = (3 << 254) + 1
    q = (7 << 253) + 1
    while not _is_prime(p):
        p += 2
    while not _is_prime(q) or q == p:
        q += 2
    e, phi = 65537, (p - 1) * (q - 1)
    d = pow(e, -1, phi)
    numbers = rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), rsa.RSAPublicNumbers(e, p * q))
    return pem(numbers.private_key())


def _is_prime(number):
    return all(pow(base, number - 1, number) == 1 for base in (2, 3, 5, 7, 11, 13))


def test_nothing_of_a_key_is_in_the_repr():
    text = repr(by_ed25519(password=None))
    assert "brisbane" in text
    assert SEED not in text
    assert "PrivateKey" not in text


def test_many_threads_sign_with_one_signer():
    signer = by_rsa()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(signer.sign, [DINNER.replace(b"Hi.", b"Hi %d." % n) for n in range(64)]))
    assert all(verdict_of(octets, signer) for octets in found)


LINES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40) | st.sampled_from(
    ["", " ", "\t", ".", "From x"]
)


@given(st.lists(LINES, max_size=8), st.lists(LINES, max_size=6), st.sampled_from(COMBINATIONS))
def test_whatever_a_message_says_verifies(folds, lines, canonicalization):
    subject = "".join(f"\r\n {fold}x" for fold in folds)
    message = f"From: a@football.example.com\r\nSubject: {subject}\r\n\r\n" + "\r\n".join(lines)
    signer = by_ed25519(canonicalization=canonicalization)
    assert verdict_of(signer.sign(message.encode()), signer)


def test_without_the_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(Unsendable, match=r"DKIM needs the package cryptography: pip install 'ninsho\[dkim\]'"):
        by_ed25519()
