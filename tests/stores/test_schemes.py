"""What each scheme has to beware of: costs, lengths, and libraries that fail or are missing."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from ninsho.errors import MalformedSecret, StoreUnavailable
from ninsho.stores import hashing
from ninsho.stores.schemes import libxcrypt, unix_crypt
from ninsho.stores.schemes.crypt3 import Libpass
from ninsho.stores.schemes.digest import Pbkdf2
from ninsho.stores.schemes.unix_crypt import Bcrypt, MemoryHardCrypt, ShaCrypt

Vector: TypeAlias = dict[str, Any]

VECTORS = Path(__file__).parents[1] / "vectors"
# RFC 6070; Dovecot's form has room for 20 octets, and neither salts nor passwords hold a NUL.
PBKDF2 = [
    row
    for row in json.loads((VECTORS / "primitives.json").read_text())["pbkdf2_sha1"]
    if row["length"] == 20 and "\0" not in row["password"]
]
CRYPT = [
    row
    for row in json.loads((VECTORS / "password_schemes.json").read_text())["vectors"]
    if row["stored"].removeprefix("{CRYPT}").startswith(("$5$", "$6$", "$7$"))
]
HASH = "$vBb99oJ12p3WAdYlaMHz1A$jtFOtbo/sYV9OSlTxDo/nVNq3uArHd5GJSEx0ty85Cc"


@pytest.mark.parametrize("vector", PBKDF2, ids=lambda vector: vector["iterations"])
def test_pbkdf2_is_that_of_rfc_6070(vector: Vector) -> None:
    stored = "{{PBKDF2}}$1${salt}${iterations}${hex}".format_map(vector)
    assert hashing.verify(stored, vector["password"])
    assert not hashing.verify(stored, vector["password"] + "x")


@pytest.mark.parametrize(
    ("stored", "limit"),
    [
        ("$argon2id$v=19$m=1048577,t=1,p=1" + HASH, "expected m=1048576 at most, got 1048577"),
        ("$argon2id$v=19$m=4294967295,t=1,p=1" + HASH, "expected m=1048576 at most, got 4294967295"),
        ("$argon2id$v=19$m=8,t=101,p=1" + HASH, "expected t=100 at most, got 101"),
        ("$argon2id$v=19$m=8,t=4294967295,p=1" + HASH, "expected t=100 at most, got 4294967295"),
        ("$argon2id$v=19$m=136,t=1,p=17" + HASH, "expected p=16 at most, got 17"),
        ("$argon2i$v=19$m=1048576,t=5,p=1" + HASH, "expected t=4 at most for m=1048576, got 5"),
        ("$6$rounds=5000001$saltsalt$" + 86 * "a", "expected at most 5000000 rounds, got 5000001"),
        ("$5$rounds=999999999$saltsalt$" + 43 * "a", "expected at most 5000000 rounds, got 999999999"),
        ("{PBKDF2}$1$salt$2147483647$" + 40 * "a", "expected at most 5000000 rounds, got 2147483647"),
        ("$2y$16$" + 53 * "a", "expected a cost from 4 to 15, got 16"),
        ("$2y$31$" + 53 * "a", "expected a cost from 4 to 15, got 31"),
        ("$2y$03$" + 53 * "a", "expected a cost from 4 to 15, got 3"),
        ("$y$jGT$saltsaltsaltsalts0$" + 43 * "a", "at a cost that crypt_gensalt"),
        ("$7$HU..../....abcdefgh$" + 43 * "a", "at a cost that crypt_gensalt"),
        ("$7$CU.../U....abcdefgh$" + 43 * "a", "at a cost that crypt_gensalt"),
    ],
)
def test_a_form_that_would_keep_a_thread_for_long_is_refused_at_once(stored: str, limit: str) -> None:
    with pytest.raises(MalformedSecret, match=limit):
        hashing.verify(stored, "test")


@pytest.mark.parametrize(
    ("stored", "finding"),
    [
        # As a column of 64 characters would leave it.
        ("$6$saltsalt$" + 52 * "a", r"\{SHA512-CRYPT\}: expected \$6\$\[rounds=…\$\]salt\$ and 86 characters"),
        ("$5$saltsalt$" + 44 * "a", r"\{SHA256-CRYPT\}: expected \$5\$\[rounds=…\$\]salt\$ and 43 characters"),
        ("$6$rounds=10$saltsalt$" + 86 * "a", r"\{SHA512-CRYPT\}: expected \$6\$"),
        ("$2y$10$" + 52 * "a", r"\{BLF-CRYPT\}: expected \$2y\$, two digits, \$ and 53 characters"),
        ("$argon2id$v=19$m=65536,t=3" + HASH, r"\{ARGON2ID\}: expected \$argon2id\$v=19\$m=…,t=…,p=…\$salt\$hash"),
        ("$argon2id$v=19$m=8,t=1,p=2" + HASH, r"\{ARGON2ID\}: argon2 says: "),
        ("{ARGON2ID}$argon2d$v=19$m=65536,t=3,p=1" + HASH, r"\{ARGON2ID\}: expected a form such as \$6\$…"),
        ("{CRYPT}$sha1$40000$abcdefgh$" + 28 * "a", r"\{CRYPT\}: expected a form such as \$6\$…"),
        ("{CRYPT}$2x$05$" + 53 * "a", r"\{CRYPT\}: expected a form such as \$6\$…"),
        ("$6$a*b$" + 86 * "a", r"\{SHA512-CRYPT\}: crypt\(3\) on this system refuses it"),
        ("{PBKDF2}$1$salt$5000$" + 39 * "a", r"\{PBKDF2\}: expected \$1\$salt\$rounds\$ and 40 hexadecimal digits"),
        ("{PBKDF2}$1$salt$0$" + 40 * "a", r"\{PBKDF2\}: expected \$1\$salt\$rounds\$"),
        ("{SSHA256}qUqP5cyxm6YcTAhz05Hph5gvu9M=", r"\{SSHA256\}: expected 32 octets and a salt, got 20"),
        ("{SHA256}qUqP5cyxm6YcTAhz05Hph5gvu9M=", r"\{SHA256\}: expected 32 octets, got 20"),
        ("{SHA256}qUqP5cyxm6YcTAhz05Hph5gvu9M", r"\{SHA256\}: expected base64"),
        ("{SHA256.hex}xy", r"\{SHA256\.hex\}: expected hexadecimal digits"),
        ("{PLAIN}\ud800", r"\{PLAIN\}: expected UTF-8"),
    ],
)
def test_a_broken_form_is_malformed_by_what_was_expected(stored: str, finding: str) -> None:
    with pytest.raises(MalformedSecret, match=f"^{finding}"):
        hashing.verify(stored, "test")


def test_argon2_of_before_version_19_still_verifies() -> None:
    # From the tests of the reference implementation: argon2i, version 16.
    stored = "$argon2i$m=65536,t=2,p=1$c29tZXNhbHQ$9sTbSlTio3Biev89thdrlKKiCaYsjjYVJxGAL3swxpQ"
    assert hashing.verify(stored, "password")
    assert hashing.verify(stored.replace("$m=", "$v=16$m="), "password")
    assert not hashing.verify(stored.replace("$m=", "$v=19$m="), "password")


def test_bcrypt_looks_at_72_octets_to_verify_and_makes_nothing_from_more() -> None:
    scheme = Bcrypt("BLF-CRYPT", cost=4)
    form = scheme.make(b"x" * 72)
    assert scheme.verify(form, b"x" * 72)
    assert scheme.verify(form, b"x" * 73)
    assert not scheme.verify(form, b"x" * 71)
    with pytest.raises(ValueError, match=r"^password: BLF-CRYPT looks at 72 octets, got 73$"):
        scheme.make(b"x" * 73)


def test_bcrypt_forms_of_all_three_names_are_one() -> None:
    form = Bcrypt("BLF-CRYPT", cost=4).make(b"test").decode()
    assert [hashing.verify(form.replace("$2b$", name), "test") for name in ("$2a$", "$2b$", "$2y$")] == [True] * 3


def test_crypt_takes_511_octets_and_no_more() -> None:
    scheme = ShaCrypt("SHA512-CRYPT", "6", digits=86, rounds=1000)
    form = scheme.make(b"x" * 511)
    assert scheme.verify(form, b"x" * 511)
    assert not scheme.verify(form, b"x" * 512)
    with pytest.raises(ValueError, match=r"^password: SHA512-CRYPT takes 511 octets, got 512$"):
        scheme.make(b"x" * 512)


def test_a_nul_ends_no_password() -> None:
    for stored in (hashing.make("test", "CRYPT"), Bcrypt("BLF-CRYPT", cost=4).make(b"test").decode(), "{PLAIN}test"):
        assert hashing.verify(stored, "test")
        assert not hashing.verify(stored, "test\0")
        assert not hashing.verify(stored, "test\0x")


def test_a_salt_is_used_once() -> None:
    names = ("CRYPT", "SSHA256", "SSHA")
    assert all(hashing.make("test", name) != hashing.make("test", name) for name in names)
    dear = (ShaCrypt("SHA256-CRYPT", "5", 43, rounds=1000), Pbkdf2("PBKDF2", 1), Bcrypt("BLF-CRYPT", 4))
    assert all(scheme.make(b"test") != scheme.make(b"test") for scheme in dear)


def test_a_salt_is_16_octets_behind_the_digest() -> None:
    form = hashing.make("test", "SSHA256.hex").partition("}")[2]
    assert len(form) == 2 * (32 + 16)
    assert hashlib.sha256(b"test" + bytes.fromhex(form[64:])).hexdigest() == form[:64]


@pytest.fixture
def without_libxcrypt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unix_crypt, "provider", Libpass)


@pytest.mark.usefixtures("without_libxcrypt")
@pytest.mark.parametrize("vector", CRYPT, ids=lambda vector: vector["stored"][:24])
def test_without_libxcrypt_libpass_verifies(vector: Vector) -> None:
    assert hashing.verify(vector["stored"], vector["password"])
    assert not hashing.verify(vector["stored"], vector["password"] + "x")


@pytest.mark.usefixtures("without_libxcrypt")
def test_without_libxcrypt_libpass_makes_sha_crypt() -> None:
    for scheme in (ShaCrypt("SHA512-CRYPT", "6", 86, rounds=1000), ShaCrypt("SHA256-CRYPT", "5", 43, rounds=1000)):
        form = scheme.make(b"test")
        assert scheme.verify(form, b"test")
        assert not scheme.outdated(form)


@pytest.mark.usefixtures("without_libxcrypt")
def test_without_libxcrypt_yescrypt_is_refused_with_the_reason() -> None:
    yescrypt = "$y$j9T$saltsaltsaltsalts0$ikj1sP/X8jgNtNUtk2DVt7M/1WmEGaplDiUe1vCJFAB"
    with pytest.raises(MalformedSecret, match=r"^\{CRYPT\}: crypt\(3\) on this system refuses it$"):
        hashing.verify(yescrypt, "test")
    with pytest.raises(ValueError, match=r"^scheme CRYPT: crypt\(3\) on this system cannot make it$"):
        MemoryHardCrypt("CRYPT").make(b"test")


@pytest.mark.parametrize("file", ["libnothere.so.1", "libm.so.6"])
def test_a_library_that_is_missing_or_lacks_the_functions_is_not_used(
    monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    monkeypatch.setattr(libxcrypt, "_FILES", (file,))
    assert libxcrypt.Libxcrypt.load() is None


def test_libpass_refuses_a_form_that_is_none() -> None:
    for form in (b"$6$rounds=x$salt", b"$6$", b"*0", b""):
        assert Libpass().verify(form, b"test") is None


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps a process to its address space")
def test_want_of_memory_is_not_a_wrong_password() -> None:
    program = f"""
import resource
from ninsho.errors import StoreUnavailable
from ninsho.stores import hashing
resource.setrlimit(resource.RLIMIT_AS, (2**29, 2**29))
try:
    print(hashing.verify("$argon2id$v=19$m=1048576,t=1,p=1{HASH}", "test"))
except StoreUnavailable as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "no memory" in done.stdout, done.stderr


def test_want_of_memory_is_a_state_of_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libxcrypt, "get_errno", lambda: 12)
    provider = libxcrypt.Libxcrypt.load()
    if provider is None:
        pytest.skip("this system has no libxcrypt")
    with pytest.raises(StoreUnavailable, match=r"^crypt\(3\): no memory to compute the hash$"):
        provider.verify(b"*0", b"test")
