"""Stored forms that Dovecot made verify here, and ours there."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from unittest.mock import patch

import pytest

from ninsho.stores import hashing
from ninsho.stores.schemes.argon2 import Argon2
from ninsho.stores.schemes.digest import Pbkdf2
from ninsho.stores.schemes.table import SCHEMES
from ninsho.stores.schemes.unix_crypt import Bcrypt, ShaCrypt

if shutil.which("doveadm") is None and not os.environ.get("CI"):
    pytest.skip("doveadm is not installed: Dovecot's own password forms are not compared", allow_module_level=True)

PASSWORDS = ["correct horse", "pässwörd 日本語", "{\\}:!\"'$", "x" * 72]
DIGESTS = ["SHA", "SHA1", "SHA256", "SHA512", "SSHA", "SSHA256", "SSHA512"]
HASHES = ["ARGON2ID", "ARGON2I", "BLF-CRYPT", "CRYPT", "SHA256-CRYPT", "SHA512-CRYPT", "PBKDF2"]
SUFFIXED = ["SSHA256.hex", "SHA512.HEX", "SSHA.b64", "PLAIN.b64", "PLAIN.hex", "CRAM-MD5.b64", "SHA512-CRYPT.hex"]
EVERY = [*DIGESTS, *HASHES, *SUFFIXED, "CRAM-MD5", "PLAIN", "CLEARTEXT"]


@pytest.fixture(scope="module", autouse=True)
def cheap_costs() -> Iterator[None]:
    cheap = {
        "ARGON2ID": Argon2("ARGON2ID", "id", memory=8192, time=1),
        "ARGON2I": Argon2("ARGON2I", "i", memory=8192, time=3),
        "BLF-CRYPT": Bcrypt("BLF-CRYPT", cost=4),
        "SHA256-CRYPT": ShaCrypt("SHA256-CRYPT", "5", digits=43, rounds=1000),
        "SHA512-CRYPT": ShaCrypt("SHA512-CRYPT", "6", digits=86, rounds=1000),
        "PBKDF2": Pbkdf2("PBKDF2", rounds=1000),
    }
    with patch.dict(SCHEMES, cheap):
        yield


def doveadm_pw(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["doveadm", "pw", *args], capture_output=True, text=True, check=False)


def offers(scheme: str) -> bool:
    return scheme.partition(".")[0] in doveadm_pw("-l").stdout.split()


@pytest.mark.parametrize("scheme", EVERY)
def test_what_dovecot_made_verifies_here(scheme: str) -> None:
    if not offers(scheme):
        pytest.skip(f"this Dovecot does not know {scheme}")
    for password in PASSWORDS[:2] if scheme.startswith("ARGON2") else PASSWORDS:
        made = doveadm_pw("-s", scheme, "-p", password)
        assert made.returncode == 0, made.stderr
        stored = made.stdout.removesuffix("\n")
        assert hashing.verify(stored, password)
        assert hashing.verify(hashing.normalise(stored), password)
        assert not hashing.verify(stored, "y" + password)


@pytest.mark.parametrize("scheme", EVERY)
def test_what_we_made_verifies_in_dovecot(scheme: str) -> None:
    if not offers(scheme):
        pytest.skip(f"this Dovecot does not know {scheme}")
    for password in PASSWORDS:
        stored = hashing.make(password, scheme)
        right = doveadm_pw("-t", stored, "-p", password)
        assert right.returncode == 0, right.stderr
        assert right.stdout.startswith(f"{stored} (verified)")
        assert doveadm_pw("-t", stored, "-p", "y" + password).returncode != 0


@pytest.mark.parametrize("scheme", ["SHA512-CRYPT", "BLF-CRYPT", "CRYPT"])
def test_a_form_of_crypt_is_known_to_both_under_each_of_its_names(scheme: str) -> None:
    form = hashing.make("test", "SHA512-CRYPT").partition("}")[2]
    if scheme == "BLF-CRYPT":
        form = hashing.make("test", "BLF-CRYPT").partition("}")[2]
    stored = f"{{{scheme}}}{form}"
    assert hashing.verify(stored, "test")
    assert doveadm_pw("-t", stored, "-p", "test").returncode == 0
