"""What each scheme has to beware of: costs, lengths, and libraries that fail or are missing."""

import hashlib
import hmac
import json
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from passlib import hash as hashes

from ninsho.errors import MalformedSecret, StoreUnavailable
from ninsho.stores import hashing
from ninsho.stores.schemes import libxcrypt, md4, unix_crypt
from ninsho.stores.schemes.bcrypt_sha256 import BcryptSha256
from ninsho.stores.schemes.crypt3 import Libpass
from ninsho.stores.schemes.pbkdf2 import DovecotPbkdf2, Pbkdf2, written
from ninsho.stores.schemes.scrypt import Scrypt
from ninsho.stores.schemes.table import SCHEMES
from ninsho.stores.schemes.unix_crypt import Bcrypt, ShaCrypt, SystemCrypt

Vector: TypeAlias = dict[str, Any]

VECTORS = Path(__file__).parents[1] / "vectors"
PBKDF2 = json.loads((VECTORS / "primitives.json").read_text())["pbkdf2_sha1"]
SALTED_PASSWORDS = json.loads((VECTORS / "salted_passwords.json").read_text())["vectors"]
FOREIGN = json.loads((VECTORS / "foreign_forms.json").read_text())["vectors"]
WEAK = frozenset(scheme.name for scheme in hashing.weak_schemes())
CRYPT = [
    row
    for row in json.loads((VECTORS / "password_schemes.json").read_text())["vectors"]
    if row["stored"].removeprefix("{CRYPT}").startswith(("$5$", "$6$", "$7$"))
]
HASH = "$vBb99oJ12p3WAdYlaMHz1A$jtFOtbo/sYV9OSlTxDo/nVNq3uArHd5GJSEx0ty85Cc"


@pytest.mark.parametrize("vector", PBKDF2, ids=lambda vector: vector["iterations"])
def test_pbkdf2_is_that_of_rfc_6070(vector: Vector) -> None:
    password, salt = vector["password"].encode(), vector["salt"].encode()
    key = hashlib.pbkdf2_hmac("sha1", password, salt, vector["iterations"])
    # Both schemes keep 20 octets, which begin or are what is published.
    assert key[: vector["length"]] == bytes.fromhex(vector["hex"])[:20]
    form = written(vector["iterations"], salt, key).encode()
    assert Pbkdf2("PBKDF2-SHA1", "sha1", 1).verify(form, password)
    assert not Pbkdf2("PBKDF2-SHA1", "sha1", 1).verify(form, password + b"x")
    if b"\0" not in salt:
        form = b"$1$%b$%d$%b" % (salt, vector["iterations"], key.hex().encode())
        assert DovecotPbkdf2("PBKDF2", 1).verify(form, password)
        assert not DovecotPbkdf2("PBKDF2", 1).verify(form, password + b"x")


@pytest.mark.parametrize("vector", SALTED_PASSWORDS, ids=lambda vector: vector["iterations"])
def test_the_keys_of_scram_are_made_of_the_salted_password(vector: Vector) -> None:
    salted = bytes.fromhex(vector["salted_password_hex"])
    # RFC 5802 §3.
    stored_key = hashlib.sha1(hmac.digest(salted, b"Client Key", "sha1")).digest()
    server_key = hmac.digest(salted, b"Server Key", "sha1")
    salt, *keys = (b64encode(octets).decode() for octets in (vector["salt"].encode(), stored_key, server_key))
    stored = f"{{SCRAM-SHA-1}}{vector['iterations']},{salt},{keys[0]},{keys[1]}"
    assert hashing.verify(stored, vector["password"])
    assert not hashing.verify(stored, vector["password"].lower())
    assert not hashing.verify(stored.replace(keys[1], keys[0]), vector["password"])


@pytest.mark.parametrize("vector", FOREIGN, ids=lambda vector: f"{vector['source']} {vector['stored'][:12]}")
def test_what_others_made_is_known_by_itself(vector: Vector) -> None:
    # A crypt(3) form without $ is known as such where it is said to be one.
    stored, password = vector["stored"], vector["password"]
    assert hashing.scheme_of(stored) == vector["scheme"]
    assert hashing.scheme_of(stored, "PLAIN") == vector["scheme"]
    assert (vector["scheme"] in WEAK) == vector["weak"]
    for spelling in (stored, hashing.normalise(stored), f"{{{vector['scheme']}}}{stored.partition('}')[2] or stored}"):
        assert hashing.verify(spelling, password, permitted=WEAK)
        assert not hashing.verify(spelling, "x" + password, permitted=WEAK)
        assert not hashing.verify(spelling, stored, permitted=WEAK)


def test_what_others_made_keeps_its_form_in_base64_and_hex() -> None:
    for vector in FOREIGN:
        text = vector["stored"].partition("}")[2] or vector["stored"]
        for written_so in (f".hex}}{text.encode().hex()}", f".b64}}{b64encode(text.encode()).decode()}"):
            stored = f"{{{vector['scheme']}{written_so}"
            assert hashing.verify(stored, vector["password"], permitted=WEAK), stored


def test_what_libpass_and_we_make_is_the_same_to_both() -> None:
    for name, handler in {
        "PBKDF2-SHA1": hashes.ldap_pbkdf2_sha1,
        "PBKDF2-SHA256": hashes.ldap_pbkdf2_sha256,
        "PBKDF2-SHA512": hashes.ldap_pbkdf2_sha512,
    }.items():
        made = hashing.make("correct horse", name)
        assert handler.verify("correct horse", made.replace("{PBKDF2-SHA1}", "{PBKDF2}"))
    for scheme, handler in (
        (Scrypt("SCRYPT", ln=4), hashes.scrypt),
        (BcryptSha256("BCRYPT-SHA256", cost=4), hashes.bcrypt_sha256),
        (SCHEMES["MD5-CRYPT"], hashes.md5_crypt),
        (SCHEMES["APR1-MD5"], hashes.apr_md5_crypt),
        (SCHEMES["SUN-MD5"], hashes.sun_md5_crypt),
        (SCHEMES["BSDI-CRYPT"], hashes.bsdi_crypt),
        (SCHEMES["DES-CRYPT"], hashes.des_crypt),
        (SCHEMES["DJANGO-SHA1"], hashes.django_salted_sha1),
    ):
        prefix = "sha1$" if scheme.name == "DJANGO-SHA1" else ""
        made = prefix + scheme.make(b"a horse!").decode()
        assert handler.verify("a horse!", made)
        assert not handler.verify("a house!", made)


@pytest.mark.parametrize(
    ("stored", "limit"),
    [
        ("$argon2id$v=19$m=1048577,t=1,p=1" + HASH, "expected m=1048576 at most, got 1048577"),
        ("$argon2id$v=19$m=4294967295,t=1,p=1" + HASH, "expected m=1048576 at most, got 4294967295"),
        ("$argon2id$v=19$m=8,t=101,p=1" + HASH, "expected t=100 at most, got 101"),
        ("$argon2id$v=19$m=8,t=4294967295,p=1" + HASH, "expected t=100 at most, got 4294967295"),
        ("$argon2id$v=19$m=136,t=1,p=17" + HASH, "expected p=16 at most, got 17"),
        ("$argon2i$v=19$m=1048576,t=3,p=1" + HASH, "expected t=2 at most for m=1048576, got 3"),
        ("$6$rounds=656001$saltsalt$" + 86 * "a", "expected at most 656000 rounds, got 656001"),
        ("$5$rounds=999999999$saltsalt$" + 43 * "a", "expected at most 656000 rounds, got 999999999"),
        ("$sha1$656001$saltsalt$" + 28 * "a", "expected at most 656000 rounds, got 656001"),
        ("$sm3$rounds=656001$saltsalt$" + 43 * "a", "expected at most 656000 rounds, got 656001"),
        ("$md5,rounds=1000001$saltsalt$$" + 22 * "a", "expected at most 1000000 rounds, got 1000001"),
        ("{PBKDF2}$1$salt$2147483647$" + 40 * "a", "expected at most 2500000 rounds, got 2147483647"),
        ("$pbkdf2-sha512$2500001$salt$" + 86 * "a", "expected at most 2500000 rounds, got 2500001"),
        ("pbkdf2_sha256$9999999999$salt$" + 43 * "a" + "=", "expected at most 2500000 rounds, got 9999999999"),
        ("{SCRAM-SHA-256}2000001,c2FsdA==," + ",".join([43 * "a" + "="] * 2), "expected at most 2000000 iterations"),
        ("{SCRAM-SHA-256}9999999999,c2FsdA==," + ",".join([43 * "a" + "="] * 2), "expected at most 5000000 iterations"),
        ("$scrypt$ln=20,r=8,p=1$salt$" + 43 * "a", r"expected at most 2\^22 for N times r times p"),
        ("$scrypt$ln=19,r=8,p=2$salt$" + 43 * "a", r"expected at most 2\^22 for N times r times p"),
        ("$scrypt$ln=99,r=8,p=1$salt$" + 43 * "a", r"expected at most 2\^22"),
        ("$scrypt$ln=1,r=4194304,p=1$salt$" + 43 * "a", "expected r=32 at most, got 4194304"),
        ("$scrypt$ln=1,r=1,p=4194304$salt$" + 43 * "a", "expected p=16 at most, got 4194304"),
        ("scrypt:2097152:8:1$salt$" + 128 * "a", r"expected at most 2\^22 for N times r times p"),
        ("$bcrypt-sha256$v=2,t=2b,r=16$" + 22 * "a" + "$" + 31 * "a", "expected a cost from 4 to 15, got 16"),
        ("bcrypt_sha256$$2b$31$" + 53 * "a", "expected a cost from 4 to 15, got 31"),
        ("$2y$16$" + 53 * "a", "expected a cost from 4 to 15, got 16"),
        ("$2y$31$" + 53 * "a", "expected a cost from 4 to 15, got 31"),
        ("$2y$03$" + 53 * "a", "expected a cost from 4 to 15, got 3"),
        ("$y$jFT$saltsaltsaltsalts0$" + 43 * "a", "at a cost that crypt_gensalt"),
        ("$7$GU..../....abcdefgh$" + 43 * "a", "at a cost that crypt_gensalt"),
        ("$7$CU.../U....abcdefgh$" + 43 * "a", "at a cost that crypt_gensalt"),
    ],
)
def test_a_form_that_would_keep_a_thread_for_long_is_refused_at_once(stored: str, limit: str) -> None:
    with pytest.raises(MalformedSecret, match=limit):
        hashing.verify(stored, "test", permitted=WEAK)


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
        ("{CRYPT}$sha1$abcdefgh$" + 28 * "a", r"\{CRYPT\}: expected a crypt\(3\) form at a cost"),
        ("{CRYPT}" + 24 * "a", r"\{CRYPT\}: expected a form such as \$6\$…"),
        ("{MD5-CRYPT}$1$salt$" + 21 * "a", r"\{MD5-CRYPT\}: expected a form of MD5, a thousand times"),
        ("$apr1$salt$" + 21 * "a", r"\{APR1-MD5\}: expected a form of "),
        ("{SMD5}CY9rzUYh03PK3k6DJie0", r"\{SMD5\}: expected 16 octets and a salt, got 15"),
        ("{PLAIN-MD4}db346d", r"\{PLAIN-MD4\}: expected base64"),
        ("{PLAIN-MD4.hex}db346d", r"\{PLAIN-MD4\}: expected 16 octets, got 3"),
        ("{PLAIN-TRUNC}test", r"\{PLAIN-TRUNC\}: expected length-password"),
        ("md5$salt$12", r"\{DJANGO-MD5\}: expected salt\$ and 32 hexadecimal digits"),
        ("{DJANGO-SHA1}salt", r"\{DJANGO-SHA1\}: expected salt\$ and 40 hexadecimal digits"),
        ("$pbkdf2-sha256$1000$salt$" + 44 * "a", r"\{PBKDF2-SHA256\}: expected rounds\$salt\$ and a key of 32 octets"),
        ("$pbkdf2-sha256$1000$a$" + 43 * "a", r"\{PBKDF2-SHA256\}: expected base64"),
        ("{PBKDF2-SHA512}1000", r"\{PBKDF2-SHA512\}: expected rounds\$salt\$ and a key of 64 octets"),
        ("pbkdf2_sha1$1000$salt$" + 29 * "a", "expected base64 or hexadecimal digits"),
        ("scrypt:1000:8:1$salt$" + 128 * "a", "expected base64 or hexadecimal digits, and a power of 2 for scrypt's N"),
        ("$scrypt$ln=4,r=8,p=1$salt$" + 42 * "a", r"\{SCRYPT\}: expected a key of 32 or 64 octets, got 31"),
        ("$scrypt$ln=16,r=1,p=1$salt$" + 43 * "a", r"\{SCRYPT\}: expected ln less than 16 for r=1, got 16"),
        ("{SCRYPT}x", r"\{SCRYPT\}: expected \$scrypt\$ln=…,r=…,p=…\$salt\$key"),
        ("{BCRYPT-SHA256}x", r"\{BCRYPT-SHA256\}: expected \$bcrypt-sha256\$v=2,t=2b,r=…\$salt\$hash"),
        ("{SCRAM-SHA-256}4096,salt", r"\{SCRAM-SHA-256\}: expected iterations,salt,StoredKey,ServerKey"),
        ("{SCRAM-SHA-256.hex}ff", r"\{SCRAM-SHA-256\}: expected iterations,salt,StoredKey,ServerKey"),
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
        hashing.verify(stored, "test", permitted=WEAK)


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
    dear = (ShaCrypt("SHA256-CRYPT", "5", 43, rounds=1000), DovecotPbkdf2("PBKDF2", 1), Bcrypt("BLF-CRYPT", 4))
    cheap = (Pbkdf2("PBKDF2-SHA256", "sha256", 1), Scrypt("SCRYPT", 4), BcryptSha256("BCRYPT-SHA256", 4))
    assert all(scheme.make(b"test") != scheme.make(b"test") for scheme in (*dear, *cheap))
    weak = ("MD5-CRYPT", "APR1-MD5", "SUN-MD5", "SMD5", "DJANGO-MD5")
    assert all(SCHEMES[name].make(b"test") != SCHEMES[name].make(b"test") for name in (*weak, "SCRAM-SHA-256"))


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
        SystemCrypt("CRYPT").make(b"test")


@pytest.mark.usefixtures("without_libxcrypt")
@pytest.mark.parametrize("name", ["MD5-CRYPT", "SUN-MD5", "BSDI-CRYPT", "DES-CRYPT"])
def test_without_libxcrypt_libpass_does_the_old_methods(name: str) -> None:
    form = SCHEMES[name].make(b"test")
    assert SCHEMES[name].verify(form, b"test")
    assert not SCHEMES[name].verify(form, b"tess")


@pytest.mark.usefixtures("without_libxcrypt")
def test_without_libxcrypt_libpass_reads_what_others_made() -> None:
    for vector in FOREIGN:
        if vector["scheme"].endswith("CRYPT"):
            assert hashing.verify(vector["stored"], vector["password"], permitted=WEAK)


def test_des_looks_at_8_octets_to_verify_and_makes_nothing_from_more() -> None:
    scheme = SCHEMES["DES-CRYPT"]
    form = scheme.make(b"12345678")
    assert scheme.verify(form, b"12345678x")
    assert not scheme.verify(form, b"1234567")
    for password in (b"123456789", "ü".encode()):
        with pytest.raises(ValueError, match=r"^password: DES-CRYPT looks at 8 octets of ASCII, got others$"):
            scheme.make(password)


def test_a_password_that_was_cut_matches_all_that_begin_with_it() -> None:
    assert hashing.verify("{PLAIN-TRUNC}4-test", "test", permitted=WEAK)
    assert hashing.verify("{PLAIN-TRUNC}4-test", "tests", permitted=WEAK)
    assert not hashing.verify("{PLAIN-TRUNC}4-test", "tes", permitted=WEAK)
    assert hashing.verify("{PLAIN-TRUNC}5-test", "test", permitted=WEAK)
    assert not hashing.verify("{PLAIN-TRUNC}5-test", "tests", permitted=WEAK)
    assert not hashing.verify("{PLAIN-TRUNC}3-test", "test!", permitted=WEAK)


# RFC 1320 appendix A.5.
@pytest.mark.parametrize(
    ("message", "digest"),
    [
        ("", "31d6cfe0d16ae931b73c59d7e0c089c0"),
        ("a", "bde52cb31de33e46245e05fbdbd6fb24"),
        ("abc", "a448017aaf21d8525fc10ae87aa6729d"),
        ("message digest", "d9130a8164549fe818874806e1c7014b"),
        ("abcdefghijklmnopqrstuvwxyz", "d79e1c308aa5bbcdeea8ed63df412da9"),
        ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "043f8582f241db351ce627e153e7f0e4"),
        (8 * "1234567890", "e33b4ddc9c38f2199c3e7b164fcc0536"),
    ],
)
def test_md4_is_that_of_rfc_1320(message: str, digest: str) -> None:
    assert md4.digest(message.encode()).hex() == digest


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
@pytest.mark.parametrize("form", ["$argon2id$v=19$m=1048576,t=1,p=1" + HASH, "$scrypt$ln=19,r=8,p=1$salt$" + 43 * "a"])
def test_want_of_memory_is_not_a_wrong_password(form: str) -> None:
    program = f"""
import resource
from ninsho.errors import StoreUnavailable
from ninsho.stores import hashing
resource.setrlimit(resource.RLIMIT_AS, (2**29, 2**29))
try:
    print(hashing.verify("{form}", "test"))
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
