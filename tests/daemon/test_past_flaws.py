"""Flaws that other servers and clients have had: each one named, each one a case that this server must get right.

Others stand where they belong: in the dialogue files, and in the tests of SCRAM, DIGEST-MD5, GSSAPI, tokens and choosing.
"""

import ast
import asyncio
import gc
import tracemalloc
from base64 import b64decode, b64encode
from functools import partial
from pathlib import Path

import pytest

import ninsho
from dialogue import ACCOUNTS, Scene
from ninsho.errors import ExchangeError, MalformedSecret
from ninsho.sasl.exchange import Channel, Credentials, Exchange
from ninsho.sasl.registry import BUILTIN, clients
from ninsho.sasl.secrets import ScramSha256Keys
from ninsho.stores import decoys, hashing
from ninsho.stores.accounts import Account, Request
from ninsho.stores.administration import administer
from ninsho.stores.database import DatabaseStore
from ninsho.stores.memory import Memory
from ninsho.stores.passwords import Passwords
from ninsho.stores.user_base import UserBase
from running import Client, Server

SECRET_MECHANISMS = ["PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"]
OTHERS = ["OAUTHBEARER", "XOAUTH2", "EXTERNAL", "ANONYMOUS"]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests look at messages, not at how long guessing takes."""
    monkeypatch.setattr(decoys, "_MADE_HERE", (decoys.Model(4096),))


def b64(octets: bytes) -> str:
    return b64encode(octets).decode() or "="


def shaken(**policy) -> Scene:
    scene = Scene(**policy)
    scene.say(b"VERSION\t1\t2\nCPID\t7\n")
    return scene


def exchange(mechanism: str, username: str, password: str = "p") -> Exchange:
    credentials = Credentials(username, password, token=password, channel=Channel(host="mail.example.org"))
    return Exchange(clients()[mechanism].client(credentials))


def answer(scene: Scene) -> bytes:
    """The next line, however long the server takes."""
    scene.shell.elapse(3)
    (line,) = scene.hear()
    return line


def log_in(scene: Scene, mechanism: str, username: str, password: str = "p", *, steps: int = 99) -> bytes:
    """The last line of a login that goes *steps* far."""
    id = 1
    talk = exchange(mechanism, username, password)
    first = talk.begin()
    response = "" if first is None else f"\tresp={b64(first)}"
    scene.say(f"AUTH\t{id}\t{mechanism}\tservice=smtp{response}\n".encode())
    line = answer(scene)
    while line.startswith(b"CONT") and (steps := steps - 1):
        try:
            response = talk.answer(b64decode(line.split(b"\t")[2]))
        except ExchangeError:
            return line
        scene.say(f"CONT\t{id}\t{b64encode(response).decode()}\n".encode())
        line = answer(scene)
    return line


@pytest.mark.parametrize("mechanism", SECRET_MECHANISMS)
def test_cve_2000_0990_an_unknown_user_is_no_surprise(mechanism):
    known, unknown = log_in(shaken(), mechanism, "u", "wrong"), log_in(shaken(), mechanism, "nobody", "wrong")
    assert unknown == known.replace(b"user=u", b"user=nobody") == b"FAIL\t1\tuser=nobody\treason=Invalid credentials"


@pytest.mark.parametrize("mechanism", [*SECRET_MECHANISMS, *OTHERS])
@pytest.mark.parametrize("leave", ["CANCEL\t1\n", "", "AUTH\t1\tPLAIN\tservice=smtp\n"])
def test_cve_2019_11494_and_11499_who_leaves_at_any_step_breaks_nothing(mechanism, leave):
    for steps in range(1, 5):
        scene = shaken()
        log_in(scene, mechanism, "u", steps=steps)
        scene.say(leave.encode()) if leave else scene.connection.lost()
        scene.shell.elapse(10)
    assert log_in(shaken(), "PLAIN", "u") == b"OK\t1\tuser=u"


def test_cve_2017_15132_logins_that_are_not_ended_leave_nothing_behind():
    scene = shaken()

    def abandon(first: int) -> None:
        for id in range(first, first + 500):
            scene.say(f"AUTH\t{id}\tSCRAM-SHA-256\tservice=smtp\tresp={b64(b'n,,n=u,r=abcdefghij')}\n".encode())
            scene.say(f"CANCEL\t{id}\n".encode())
            scene.hear()
            scene.shell.writes.clear()
            scene.log.clear()
            scene.store.asked.clear()

    abandon(1)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    abandon(10_001)
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 100_000


def test_cve_2025_30189_two_users_with_one_password_are_two_users():
    memory = Memory(60)
    checks = Passwords(memory)
    alice = Account("alice", (hashing.make("p", "SSHA512"),))
    slow = hashing.make("p", "SHA512-CRYPT")
    for name in ("bob", "carol"):
        account = Account(name, (slow,))
        assert checks.at_once(account, "p") is None
        with pytest.raises(StopIteration) as end:
            next(checks.hashed(account, "p"))
        assert end.value.value is True
    # What is remembered of one is not the other's, and not that of a form that has changed (CVE-2007-6598).
    assert checks.at_once(Account("mallory", (slow,)), "p") is None
    assert checks.at_once(Account("bob", (slow[:-1] + "x",)), "p") is None
    assert checks.at_once(alice, "x") is False


AWKWARD = ["' OR '1'='1", 'x" OR 1=1 --', "a\\'b", "u%", "_", "*)(uid=*", "%{password}", "%u", "${IFS}", "{0}", "$1$"]


@pytest.mark.parametrize("name", AWKWARD)
def test_cve_2026_24031_and_2017_2669_a_name_is_a_name(tmp_path: Path, name):
    url = f"sqlite:///{tmp_path / 'accounts.db'}"

    async def find() -> tuple[object, object]:
        async with administer(url) as accounts:
            await accounts.add("u", ["{PLAIN}p"])
        async with DatabaseStore(url).open() as store:
            before = store.find(name)
            async with administer(url) as accounts:
                await accounts.add(name, ["{PLAIN}p"])
            return before, store.find(name)

    before, after = asyncio.run(find())
    assert before is None
    assert after.name == name
    # And it is told as it is.
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ACCOUNTS, name, Account(name, ("{PLAIN}p",)))
        assert log_in(shaken(), "PLAIN", name) == f"OK\t1\tuser={name}".encode()


def test_cve_2022_24407_a_password_is_bound_when_it_is_changed(tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'accounts.db'}"
    hostile = "x'); UPDATE secrets SET stored='{PLAIN}root'; --"

    async def change() -> tuple[str, ...]:
        async with administer(url) as accounts:
            await accounts.add("root", ["{PLAIN}secret"])
            await accounts.add("u", ["{PLAIN}p"])
            await accounts.set_secrets("u", [hashing.make(hostile, "PLAIN")])
            return (*(await accounts.get("root")).secrets, *(await accounts.get("u")).secrets)

    assert asyncio.run(change()) == ("{PLAIN}secret", f"{{PLAIN}}{hostile}")


@pytest.mark.parametrize(
    "form", ["{CRYPT}", "{CRYPT}!", "{CRYPT}*0", "{CRYPT}x", "{CRYPT}$6$", "{SHA512-CRYPT}$6$$", "*"]
)
def test_cve_2013_4122_a_hash_that_is_none_is_an_error_of_ours(form):
    with pytest.raises(MalformedSecret):
        hashing.verify(form, "p")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ACCOUNTS, "odd", Account("odd", (form,)))
        assert b"code=temp_fail" in log_in(shaken(), "PLAIN", "odd")


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-256"])
@pytest.mark.parametrize("size", [1023, 1024, 1025, 4096])
def test_cve_2019_19906_sizes_at_the_edge_and_beyond(mechanism, size):
    name = "n" * size
    line = log_in(shaken(), mechanism, name)
    assert line.startswith(b"FAIL\t1\t")
    assert (b"user=" in line) is (size <= 1024)


@pytest.mark.parametrize("mechanism", SECRET_MECHANISMS)
def test_cve_2020_12673_and_12674_a_message_may_end_at_any_octet(mechanism):
    whole = shaken()
    assert log_in(whole, mechanism, "u").startswith((b"OK", b"CONT"))
    for end in range(60):
        scene = shaken()
        talk = exchange(mechanism, "u")
        first = talk.begin()
        scene.say(f"AUTH\t1\t{mechanism}\tservice=smtp\tresp={b64((first or b'')[:end])}\n".encode())
        line = answer(scene)
        while line.startswith(b"CONT"):
            try:
                message = talk.answer(b64decode(line.split(b"\t")[2]))[:end]
            except ExchangeError:
                message = b""
            scene.say(f"CONT\t1\t{b64(message)}\n".encode())
            line = answer(scene)
        assert line.startswith((b"FAIL\t1", b"OK\t1\tuser=u"))
        assert not scene.shell.closed


@pytest.mark.parametrize("mechanism", [name for name in SECRET_MECHANISMS if name != "PLAIN"])
def test_2_3_11_a_nul_ends_no_password(mechanism):
    scene = shaken()
    talk = exchange(mechanism, "u")
    first = talk.begin()
    message = b"" if first is None else first + b"\0junk"
    scene.say(f"AUTH\t1\t{mechanism}\tservice=smtp\tresp={b64(message)}\n".encode())
    line = answer(scene)
    while line.startswith(b"CONT"):
        response = talk.answer(b64decode(line.split(b"\t")[2]))
        scene.say(f"CONT\t1\t{b64(response + bytes(1) + b'junk')}\n".encode())
        line = answer(scene)
    assert line.startswith(b"FAIL\t1")


def test_cve_2019_3814_and_2023_42115_a_certificate_without_a_name_proves_nobody():
    for parameters in ("", "\tvalid-client-cert", "\tcert_username=u", "\tvalid-client-cert\tcert_username="):
        for asked in (b"u", b""):
            scene = shaken()
            scene.say(f"AUTH\t1\tEXTERNAL\tservice=smtp{parameters}\tresp={b64(asked)}\n".encode())
            assert answer(scene).startswith(b"FAIL\t1")
    scene = shaken()
    scene.say(b"AUTH\t1\tEXTERNAL\tservice=smtp\tvalid-client-cert\tcert_username=u\tresp==\n")
    assert answer(scene) == b"OK\t1\tuser=u"


def test_cve_2016_8652_a_login_may_end_before_there_is_a_name():
    scene = shaken()
    scene.say(b"AUTH\t1\tLOGIN\tservice=smtp\n")
    scene.hear()
    scene.say(b"CONT\t1\t=\n")
    assert answer(scene) == b"FAIL\t1\treason=Invalid authentication data"
    assert 'user=""' in scene.log[-1]


def test_cve_2022_30550_two_stores_of_a_type_stay_apart(tmp_path: Path):
    (tmp_path / "one").write_text("boss:{PLAIN}p::::::master=y\n")
    (tmp_path / "two").write_text("boss:{PLAIN}q::::::master=y\nu:{PLAIN}p\nv:{PLAIN}p\n")
    stores = "".join(f'[[store]]\ntype = "passwd-file"\npath = "{name}"\n' for name in ("one", "two"))
    config = f'[failure]\ndelay = "0s"\n[accounts]\nmasters = true\n[[listen]]\nunix = "auth.sock"\n{stores}'

    def plain(authzid: str, authcid: str, password: str) -> str:
        return f"AUTH\t1\tPLAIN\tservice=smtp\tresp={b64(f'{authzid}{chr(0)}{authcid}{chr(0)}{password}'.encode())}"

    with Server(tmp_path, config), Client(tmp_path / "auth.sock", minor=2) as client:
        # The second store's boss is not asked: the name is the first one's.
        assert client.ask(plain("", "boss", "q")).startswith(b"FAIL")
        assert client.ask(plain("u", "boss", "p")) == b"OK\t1\tuser=u\tauth_user=boss"
        assert client.ask(plain("v", "u", "p")).startswith(b"FAIL\t1\tuser=u\tcode=authz_fail")


@pytest.mark.parametrize("mechanism", SECRET_MECHANISMS)
def test_cve_2011_1720_a_number_that_is_used_again_begins_anew(mechanism):
    scene = shaken()
    for _ in range(3):
        assert log_in(scene, mechanism, "u", "wrong").startswith(b"FAIL\t1")
        line = log_in(scene, mechanism, "u")
        assert line == b"OK\t1\tuser=u"


def test_cve_2026_27855_a_response_is_good_for_one_challenge():
    scene = shaken()
    talk = exchange("CRAM-MD5", "u")
    talk.begin()
    scene.say(b"AUTH\t1\tCRAM-MD5\tservice=smtp\nAUTH\t2\tCRAM-MD5\tservice=smtp\n")
    first, second = (line.split(b"\t")[2] for line in scene.hear())
    assert first != second
    response = b64(talk.answer(b64decode(first)))
    scene.say(f"CONT\t2\t{response}\n".encode())
    assert answer(scene).startswith(b"FAIL\t2")
    scene.say(f"CONT\t1\t{response}\n".encode())
    assert answer(scene) == b"OK\t1\tuser=u"
    scene.say(f"CONT\t1\t{response}\n".encode())
    assert answer(scene) == b"FAIL\t1\treason=Authentication request timed out"


@pytest.mark.parametrize("mechanism", SECRET_MECHANISMS)
def test_cve_2022_24732_an_account_that_has_expired_is_not_let_in(mechanism):
    assert b"code=pass_expired" in log_in(shaken(), mechanism, "expired")


@pytest.mark.parametrize("size", [0, 1, 31, 33, 8_000])
def test_a_proof_of_another_length_as_odyssey_copied_it(size):
    scene = shaken()
    scene.say(f"AUTH\t1\tSCRAM-SHA-256\tservice=smtp\tresp={b64(b'n,,n=u,r=abcdefghij')}\n".encode())
    nonce = b64decode(answer(scene).split(b"\t")[2]).split(b",")[0]
    scene.say(f"CONT\t1\t{b64(b'c=biws,' + nonce + b',p=' + b64encode(bytes(size)))}\n".encode())
    assert answer(scene) == b"FAIL\t1\tuser=u\treason=Invalid authentication data"


def test_cve_2007_1558_apop_is_not_there():
    assert "APOP" not in BUILTIN
    assert shaken().say(b"AUTH\t1\tAPOP\tservice=smtp\n") is None


SECRETS = {
    "proof",
    "digest",
    "password",
    "secret",
    "token",
    "signature",
    "stored_key",
    "server_key",
    "hash",
    "form",
    "key",
}
SOURCES = Path(ninsho.__file__).parent


@pytest.mark.parametrize("file", sorted(SOURCES.glob("sasl/**/*.py")) + sorted(SOURCES.glob("stores/**/*.py")), ids=str)
def test_cve_2026_27856_2021_38153_2025_59432_2021_32921_secrets_are_compared_in_constant_time(file: Path):
    """A comparison of two things that are both named as secrets are goes through compare_digest."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq | ast.NotEq):
            sides = [node.left, node.comparators[0]]
            named = [getattr(side, "attr", getattr(side, "id", "")) in SECRETS for side in sides]
            assert not all(named), f"{file.name}:{node.lineno}"


def test_cve_2025_59028_what_one_user_sends_ends_nobody_else_s_login():
    scene = shaken()
    scene.say(
        b"AUTH\t1\tLOGIN\tservice=smtp\nAUTH\t2\tPLAIN\tservice=smtp\tresp=!!!!\nCONT\t1\tdQ==\nAUTH\t3\tLOGIN\tservice=smtp\n"
    )
    told = scene.hear()
    assert told[1].startswith(b"FAIL\t2\tcode=invalid_base64")
    scene.say(b"CONT\t3\t====\nCONT\t1\tcA==\n")
    told = scene.hear()
    assert told[0].startswith(b"FAIL\t3\tcode=invalid_base64")
    assert told[1] == b"OK\t1\tuser=u"


def test_cve_2026_42198_what_is_stored_cannot_keep_the_server_busy():
    dear = f"{{SCRAM-SHA-256}}2147483647,{'QUJD' * 4},{b64(bytes(32))},{b64(bytes(32))}"
    with pytest.raises(MalformedSecret, match="iterations"):
        hashing.secret_in(dear, (ScramSha256Keys,))
    base = UserBase([], Passwords(Memory(0)))
    assert list(partial(base.verify, "u", "p", Request())()) == []
