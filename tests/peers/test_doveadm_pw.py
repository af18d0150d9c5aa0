"""Stored forms that Dovecot made verify here, and ours there."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import fields, replace
from unittest.mock import patch

import pytest

from ninsho.errors import MalformedSecret
from ninsho.stores import hashing
from ninsho.stores.schemes.table import SCHEMES

if shutil.which("doveadm") is None and not os.environ.get("CI"):
    pytest.skip("doveadm is not installed: Dovecot's own password forms are not compared", allow_module_level=True)

PASSWORDS = ["correct horse", "pässwörd 日本語", "{\\}:!\"'$", "x" * 72]
DIGESTS = ["SHA", "SHA1", "SHA256", "SHA512", "SSHA", "SSHA256", "SSHA512"]
HASHES = ["ARGON2ID", "ARGON2I", "BLF-CRYPT", "CRYPT", "SHA256-CRYPT", "SHA512-CRYPT", "PBKDF2"]
WEAK = ["MD5", "MD5-CRYPT", "DES-CRYPT", "SMD5", "LDAP-MD5", "PLAIN-MD5", "PLAIN-MD4", "PLAIN-TRUNC"]
KEYS = ["SCRAM-SHA-1", "SCRAM-SHA-256", "CRAM-MD5", "HMAC-MD5", "DIGEST-MD5"]
SUFFIXED = ["SSHA256.hex", "SHA512.HEX", "SSHA.b64", "PLAIN.b64", "PLAIN.hex", "CRAM-MD5.b64", "SHA512-CRYPT.hex"]
MORE_SUFFIXED = ["SCRAM-SHA-256.b64", "DIGEST-MD5.b64", "PLAIN-MD5.b64", "LDAP-MD5.hex", "MD5-CRYPT.hex", "PBKDF2.b64"]
EVERY = [*DIGESTS, *HASHES, *WEAK, *KEYS, *SUFFIXED, *MORE_SUFFIXED, "PLAIN", "CLEAR", "CLEARTEXT"]
# One-time passwords are no password forms; what Dovecot makes as PLAIN-TRUNC, it cannot read itself.
UNREADABLE = {"OTP", "PLAIN-TRUNC"}
# At their own costs: the iterations of SCRAM are no site's choice here.
CHEAP = {"memory": 8192, "time": 3, "cost": 4, "rounds": 1000}
USER = "tim@example.org"
PERMITTED = hashing.permission(scheme.name for scheme in hashing.weak_schemes())


@pytest.fixture(scope="module", autouse=True)
def cheap_costs() -> Iterator[None]:
    cheap = {
        name: replace(scheme, **{field.name: CHEAP[field.name] for field in fields(scheme) if field.name in CHEAP})
        for name, scheme in SCHEMES.items()
    }
    with patch.dict(SCHEMES, cheap):
        yield


def doveadm_pw(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["doveadm", "pw", *args], capture_output=True, text=True, check=False)


def offers(scheme: str) -> bool:
    return scheme.partition(".")[0] in doveadm_pw("-l").stdout.split()


def passwords(scheme: str) -> list[str]:
    if scheme == "DES-CRYPT":
        return ["horse"]
    return PASSWORDS[:2] if scheme.startswith("ARGON2") else PASSWORDS


def test_every_scheme_of_this_dovecot_is_compared() -> None:
    assert set(doveadm_pw("-l").stdout.split()) <= {*EVERY, *UNREADABLE}


@pytest.mark.parametrize("scheme", sorted({*EVERY} - UNREADABLE))
def test_what_dovecot_made_verifies_here(scheme: str) -> None:
    if not offers(scheme):
        pytest.skip(f"this Dovecot does not know {scheme}")
    for password in passwords(scheme):
        made = doveadm_pw("-s", scheme, "-u", USER, "-p", password)
        assert made.returncode == 0, made.stderr
        stored = made.stdout.removesuffix("\n")
        assert hashing.verify(stored, password, USER, permitted=PERMITTED)
        assert hashing.verify(hashing.normalise(stored), password, USER, permitted=PERMITTED)
        assert not hashing.verify(stored, "y" + password, USER, permitted=PERMITTED)


@pytest.mark.parametrize("scheme", EVERY)
def test_what_we_made_verifies_in_dovecot(scheme: str) -> None:
    if not offers(scheme):
        pytest.skip(f"this Dovecot does not know {scheme}")
    for password in passwords(scheme):
        stored = hashing.make(password, scheme, USER, permitted=PERMITTED)
        right = doveadm_pw("-t", stored, "-u", USER, "-p", password)
        assert right.returncode == 0, right.stderr
        assert right.stdout.startswith(f"{stored} (verified)")
        assert doveadm_pw("-t", stored, "-u", USER, "-p", "y" + password).returncode != 0


def test_what_dovecot_cannot_read_is_malformed_here() -> None:
    for scheme in UNREADABLE:
        stored = doveadm_pw("-s", scheme, "-p", "test").stdout.removesuffix("\n")
        with pytest.raises(MalformedSecret, match=rf"{scheme}"):
            hashing.verify(stored, "test", permitted=PERMITTED)


@pytest.mark.parametrize("username", ["tim", "tim@example.org", "tim@example.org@realm"])
def test_the_user_name_is_taken_apart_alike(username: str) -> None:
    stored = doveadm_pw("-s", "DIGEST-MD5", "-u", username, "-p", "test").stdout.removesuffix("\n")
    assert stored == hashing.make("test", "DIGEST-MD5", username)


@pytest.mark.parametrize("scheme", ["SHA512-CRYPT", "BLF-CRYPT", "CRYPT"])
def test_a_form_of_crypt_is_known_to_both_under_each_of_its_names(scheme: str) -> None:
    form = hashing.make("test", "SHA512-CRYPT").partition("}")[2]
    if scheme == "BLF-CRYPT":
        form = hashing.make("test", "BLF-CRYPT").partition("}")[2]
    stored = f"{{{scheme}}}{form}"
    assert hashing.verify(stored, "test")
    assert doveadm_pw("-t", stored, "-p", "test").returncode == 0
