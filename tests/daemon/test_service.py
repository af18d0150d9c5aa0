"""The whole server: listeners, signals, and the life of connections."""

import os
import signal
import socket
import stat
import time
from base64 import b64encode
from contextlib import ExitStack

import pytest

from running import Client, Server

LISTEN = """
[failure]
delay = "0s"
[[listen]]
unix = "auth.sock"
[[store]]
type = "passwd-file"
path = "users"
"""


def plain(name: str, password: str, id: int = 1) -> str:
    response = b64encode(f"\0{name}\0{password}".encode()).decode()
    return f"AUTH\t{id}\tPLAIN\tservice=smtp\trip=192.0.2.1\tresp={response}"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "users").write_text("u:{PLAIN}p\nv:{PLAIN}q\n")
    return tmp_path


def test_users_log_in_on_a_unix_socket(folder):
    with Server(folder, LISTEN) as server, Client(folder / "auth.sock") as client:
        assert client.greeting[0] == b"VERSION\t1\t2"
        assert client.ask(plain("u", "p")) == b"OK\t1\tuser=u"
        assert client.ask(plain("u", "x", 2)) == b"FAIL\t2\tuser=u\treason=Invalid credentials"
        assert client.ask(plain("x", "p", 3)) == b"FAIL\t3\tuser=x\treason=Invalid credentials"
        server.wait_for("cause=baduser")
        assert stat.S_IMODE((folder / "auth.sock").stat().st_mode) == 0o660


def test_the_handshake_comes_before_the_client_says_anything_and_in_one_packet_1(folder):
    with Server(folder, LISTEN), Client(folder / "auth.sock", hello=False) as client:
        first = client.socket.recv(65_536)
        assert first.startswith(b"VERSION\t1\t2\nMECH\t")
        assert first.endswith(b"\nDONE\n")


def test_octets_that_come_one_by_one_7(folder):
    with Server(folder, LISTEN), Client(folder / "auth.sock", hello=False) as client:
        for octet in f"VERSION\t1\t0\nCPID\t7\n{plain('u', 'p')}\n".encode():
            client.socket.send(bytes([octet]))
        client.read_greeting()
        assert client.line() == b"OK\t1\tuser=u"


def test_a_mode_an_owner_and_a_group_76(folder):
    if os.getuid():
        pytest.skip("only root can give a socket away")
    config = LISTEN.replace('"auth.sock"', '"auth.sock"\nmode = "0606"\nowner = "nobody"\ngroup = "daemon"')
    with Server(folder, config):
        status = (folder / "auth.sock").stat()
        assert stat.S_IMODE(status.st_mode) == 0o606
        assert (folder / "auth.sock").owner() == "nobody"
        assert (folder / "auth.sock").group() == "daemon"


def test_a_stale_socket_is_replaced_and_a_living_one_refused_76(folder):
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(folder / "auth.sock"))
    with Server(folder, LISTEN), Client(folder / "auth.sock") as client:
        second = Server(folder, LISTEN)
        second.start(wait=False)
        assert second.process.wait(20) == 78
        assert "another server listens there" in second.journal()
        assert client.ask(plain("u", "p")) == b"OK\t1\tuser=u"
        with Client(folder / "auth.sock"):
            pass


def test_a_file_that_is_no_socket_is_left_alone(folder):
    (folder / "auth.sock").write_text("precious")
    server = Server(folder, LISTEN).start(wait=False)
    assert server.process.wait(20) == 78
    assert (folder / "auth.sock").read_text() == "precious"


def test_a_stopped_server_takes_its_socket_away(folder):
    with Server(folder, LISTEN) as server:
        assert server.stop() == 0
        assert not (folder / "auth.sock").exists()
        assert not list(folder.glob(".auth*"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_several_listeners_each_with_its_own_mechanisms(folder):
    port = free_port()
    config = f"""{LISTEN}
[[listen]]
tcp = "127.0.0.1:{port}"
mechanisms = ["CRAM-MD5", "PLAIN"]
"""
    with Server(folder, config), Client(folder / "auth.sock") as unix, Client(("127.0.0.1", port)) as tcp:
        assert [line for line in unix.greeting if line.startswith(b"MECH")] == [
            b"MECH\tPLAIN\tplaintext",
            b"MECH\tLOGIN\tplaintext",
            b"MECH\tSCRAM-SHA-256\tmutual-auth",
            b"MECH\tSCRAM-SHA-512\tmutual-auth",
            b"MECH\tSCRAM-SHA-1\tmutual-auth",
        ]
        assert [line for line in tcp.greeting if line.startswith(b"MECH")] == [
            b"MECH\tCRAM-MD5\tdictionary\tactive",
            b"MECH\tPLAIN\tplaintext",
        ]
        assert tcp.ask(plain("u", "p")) == b"OK\t1\tuser=u"


def test_an_address_that_may_not_connect_is_turned_away(folder):
    port = free_port()
    config = f'{LISTEN}\n[[listen]]\ntcp = "127.0.0.1:{port}"\nallow = ["192.0.2.0/24"]\n'
    with Server(folder, config), Client(("127.0.0.1", port)) as client:
        # Loopback may always.
        assert client.ask(plain("u", "p")) == b"OK\t1\tuser=u"


def test_a_new_configuration_holds_for_the_next_login_and_connections_stay_74(folder):
    with Server(folder, LISTEN) as server, Client(folder / "auth.sock") as client:
        assert client.ask(plain("w", "p")).startswith(b"FAIL")
        (folder / "others").write_text("w:{PLAIN}p\n")
        server.config.write_text(LISTEN.replace('"users"', '"others"') + '[[listen]]\nunix = "second.sock"\n')
        server.signal(signal.SIGHUP)
        server.wait_for("reloaded:")
        assert client.ask(plain("w", "p", 2)) == b"OK\t2\tuser=w"
        with Client(folder / "second.sock") as second:
            assert second.ask(plain("w", "p")) == b"OK\t1\tuser=w"


def test_a_new_configuration_that_cannot_work_is_refused_and_the_old_one_kept(folder):
    with Server(folder, LISTEN) as server, Client(folder / "auth.sock") as client:
        server.config.write_text(LISTEN + "colour = 1\n")
        server.signal(signal.SIGHUP)
        server.wait_for("reload-refused:")
        assert "unknown key" in server.journal()
        assert client.ask(plain("u", "p")) == b"OK\t1\tuser=u"


def test_a_listener_that_is_taken_out_closes_and_its_connections_stay(folder):
    config = LISTEN + '[[listen]]\nunix = "second.sock"\n'
    with Server(folder, config) as server, Client(folder / "second.sock") as client:
        server.config.write_text(LISTEN)
        server.signal(signal.SIGHUP)
        server.wait_for("reloaded:")
        assert not (folder / "second.sock").exists()
        assert client.ask(plain("u", "p")) == b"OK\t1\tuser=u"


def test_sigterm_lets_a_held_back_failure_be_told_75(folder):
    config = LISTEN.replace('"0s"', '"1s"')
    with Server(folder, config) as server, Client(folder / "auth.sock") as client, Client(folder / "auth.sock") as idle:
        client.send(plain("u", "x"))
        server.wait_for("badpassword")
        server.signal(signal.SIGTERM)
        assert idle.line() == b""
        assert client.line() == b"FAIL\t1\tuser=u\treason=Invalid credentials"
        assert client.line() == b""
        assert server.process.wait(20) == 0


def test_failures_come_back_in_shuffled_batches_73(folder):
    config = LISTEN.replace('"0s"', '"500ms"')
    orders = set()
    with Server(folder, config), ExitStack() as stack:
        clients = [stack.enter_context(Client(folder / "auth.sock")) for _ in range(1)]
        for turn in range(3):
            lines = [plain("u", "x", 20 * turn + id) for id in range(1, 13)]
            clients[0].send(*lines)
            answers = [int(clients[0].line().split(b"\t")[1]) - 20 * turn for _ in lines]
            assert sorted(answers) == list(range(1, 13))
            orders.add(tuple(answers))
    assert len(orders) > 1


def test_a_failure_waits_and_a_success_does_not_20_71(folder):
    config = LISTEN.replace('"0s"', '"1s"')
    with Server(folder, config), Client(folder / "auth.sock") as client:
        begun = time.monotonic()
        client.send(*(plain("u", "x", id) for id in range(1, 6)), plain("u", "p", 6))
        assert client.line() == b"OK\t6\tuser=u"
        quick = time.monotonic() - begun
        assert all(client.line().startswith(b"FAIL") for _ in range(5))
        assert quick < time.monotonic() - begun
        assert 1 <= time.monotonic() - begun < 8


def test_a_client_that_does_not_read_is_not_read_and_gets_everything_in_the_end(folder):
    with Server(folder, LISTEN), Client(folder / "auth.sock") as client:
        client.socket.setblocking(False)
        sent = 0
        line = b"AUTH\t1\tFOO\tservice=smtp\n"
        deadline = time.monotonic() + 5
        blocked = 0
        # Both sides' buffers fill, and the server stops reading.
        while blocked < 20 and time.monotonic() < deadline:
            try:
                sent += client.socket.send(line * 100)
                blocked = 0
            except BlockingIOError:
                blocked += 1
                time.sleep(0.02)
        assert blocked == 20, "the server read on without end"
        client.socket.settimeout(20)
        complete = sent // len(line)
        for _ in range(complete):
            assert client.line() == b"FAIL\t1\treason=Unsupported authentication mechanism"


def test_a_hundred_connections_at_once(folder):
    with Server(folder, LISTEN), ExitStack() as stack:
        clients = [stack.enter_context(Client(folder / "auth.sock")) for _ in range(100)]
        for id, client in enumerate(clients, 1):
            client.send(plain("u", "p", id))
        for id, client in enumerate(clients, 1):
            assert client.line() == f"OK\t{id}\tuser=u".encode()


SLOW = """
import asyncio
from ninsho import store

@store
async def accounts(username, password, request):
    await asyncio.sleep(1)
    return password == "p"
"""


def test_a_reload_that_cannot_work_changes_nothing(folder):
    with Server(folder, LISTEN) as server, Client(folder / "auth.sock") as client:
        (folder / "others").write_text("w:{PLAIN}p\n")
        server.config.write_text(
            LISTEN.replace('"users"', '"others"').replace('"auth.sock"', '"auth.sock"\ngroup = "no-such-group"')
            + '[[listen]]\nunix = "second.sock"\n[log]\nformat = "json"\n'
        )
        server.signal(signal.SIGHUP)
        server.wait_for("reload-refused:")
        assert not (folder / "second.sock").exists()
        assert client.ask(plain("u", "p")) == b"OK\t1\tuser=u"
        assert client.ask(plain("w", "p", 2)).startswith(b"FAIL")
        assert "{" not in server.journal()


def test_a_login_that_began_before_a_reload_ends_as_it_began_74(folder):
    with Server(folder, LISTEN) as server, Client(folder / "auth.sock") as client:
        assert client.ask("AUTH\t1\tLOGIN\tservice=smtp\tresp=dQ==") == b"CONT\t1\tUGFzc3dvcmQ6"
        (folder / "others").write_text("w:{PLAIN}p\n")
        server.config.write_text(LISTEN.replace('"users"', '"others"'))
        server.signal(signal.SIGHUP)
        server.wait_for("reloaded:")
        assert client.ask("CONT\t1\tcA==") == b"OK\t1\tuser=u"
        assert client.ask(plain("w", "p", 2)) == b"OK\t2\tuser=w"


def test_a_verdict_under_way_is_told_though_sighup_and_sigterm_come_75(folder):
    (folder / "hook.py").write_text(SLOW)
    config = LISTEN.replace('type = "passwd-file"\npath = "users"', 'type = "hook"\npath = "hook.py"')
    with Server(folder, config) as server, Client(folder / "auth.sock") as client:
        client.send(plain("u", "p"))
        server.signal(signal.SIGHUP)
        server.wait_for("reloaded:")
        server.signal(signal.SIGTERM)
        assert client.line() == b"OK\t1\tuser=u"
        assert server.process.wait(20) == 0


def test_a_function_that_never_ends_does_not_keep_the_server_from_ending(folder):
    (folder / "hook.py").write_text(
        "import time\nfrom ninsho import store\n\n@store\ndef accounts(username, password, request):\n    time.sleep(600)\n"
    )
    config = LISTEN.replace('type = "passwd-file"\npath = "users"', 'type = "hook"\npath = "hook.py"')
    with Server(folder, config) as server, Client(folder / "auth.sock") as client:
        client.send(plain("u", "p"))
        assert client.line() == b""
        assert "no answer from the store in time" in server.journal()
        server.signal(signal.SIGTERM)
        assert server.process.wait(20) == 0


def test_a_store_that_resists_being_cancelled_is_not_waited_for(folder):
    (folder / "hook.py").write_text(
        "import asyncio\nfrom ninsho import store\n\n@store\nasync def accounts(username, password, request):\n"
        "    if username == 'gone':\n        raise asyncio.CancelledError\n"
        "    try:\n        await asyncio.sleep(60)\n    finally:\n        await asyncio.sleep(30)\n"
    )
    config = LISTEN.replace('type = "passwd-file"\npath = "users"', 'type = "hook"\npath = "hook.py"')
    with Server(folder, config), Client(folder / "auth.sock", minor=1) as client:
        begun = time.monotonic()
        assert client.ask(plain("u", "p")).startswith(b"FAIL\t1\tuser=u\tcode=temp_fail")
        assert time.monotonic() - begun < 10
        assert client.ask(plain("gone", "p", 2)).startswith(b"FAIL\t2\tuser=gone\tcode=temp_fail")
