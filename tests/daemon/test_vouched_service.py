"""EXTERNAL, ANONYMOUS and GSSAPI in the configuration, and through the whole server as far as that takes no Kerberos."""

from base64 import b64encode

import pytest

from ninsho.cli.config.effective import settings_in
from ninsho.daemon.config import decode
from ninsho.daemon.tickets import configured_gssapi
from ninsho.errors import ConfigurationError
from running import Client, Server

LISTEN = """
[failure]
delay = "0s"
[anonymous]
user = "guest"
[[listen]]
unix = "auth.sock"
mechanisms = ["PLAIN", "EXTERNAL", "ANONYMOUS"]
[[store]]
type = "passwd-file"
path = "users"
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "users").write_text("tim:{PLAIN}p\n")
    return tmp_path


def anonymous(trace: str, id: int = 1) -> str:
    return f"AUTH\t{id}\tANONYMOUS\tservice=smtp\trip=192.0.2.1\tresp={b64encode(trace.encode()).decode()}"


def external(username: str, id: int = 1) -> str:
    return f"AUTH\t{id}\tEXTERNAL\tservice=smtp\tvalid-client-cert\tcert_username={username}\tresp=="


def test_a_guest_leaves_a_trace_in_the_journal_that_forges_nothing(folder):
    with Server(folder, LISTEN) as server, Client(folder / "auth.sock") as client:
        assert client.ask(anonymous("sirhc")) == b"OK\t1\tuser=guest"
        assert client.ask(anonymous('x" user="root', 2)) == b"OK\t2\tuser=guest"
        server.wait_for("mech=ANONYMOUS", times=2)
        assert ' detail=sirhc user="guest"\n' in server.journal()
        assert r' detail="x\" user=\"root" user="guest"' in server.journal()


def test_a_certificate_names_an_account(folder):
    with Server(folder, LISTEN) as server, Client(folder / "auth.sock") as client:
        assert client.ask(external("Tim")) == b"OK\t1\tuser=tim"
        assert client.ask(external("stranger", 2)).startswith(b"FAIL\t2\t")
        assert client.ask(external("", 3)).startswith(b"FAIL\t3\t")
        server.wait_for('detail="the connection proves no user name"')


def test_a_certificate_is_enough_where_the_site_says_so(folder):
    config = LISTEN + '[accounts]\nunknown = "accept"\n'
    with Server(folder, config), Client(folder / "auth.sock") as client:
        assert client.ask(external("stranger")) == b"OK\t1\tuser=stranger"


def test_they_are_offered_only_where_they_are_named(folder):
    config = LISTEN.replace('mechanisms = ["PLAIN", "EXTERNAL", "ANONYMOUS"]\n', "")
    with Server(folder, config), Client(folder / "auth.sock") as client:
        offered = b"\n".join(client.greeting)
        assert b"MECH\tPLAIN\t" in offered
        assert not any(name in offered for name in (b"EXTERNAL", b"ANONYMOUS", b"GSSAPI"))


def configuration(tmp_path, **tables):
    return decode(tables, source="ninsho.toml", folder=tmp_path)


def problems(tmp_path, **tables):
    with pytest.raises(ConfigurationError) as caught:
        configuration(tmp_path, **tables)
    return [problem.removeprefix("ninsho.toml: ") for problem in caught.value.problems]


def test_what_may_stand_in_the_tables(tmp_path):
    config = configuration(
        tmp_path,
        anonymous={"user": "guest"},
        gssapi={"keytab": "smtp.keytab", "service": "smtp", "host": "mail.example.org", "realms": ["EXAMPLE.ORG"]},
    )
    assert config.anonymous.user == "guest"
    assert config.gssapi.keytab == tmp_path / "smtp.keytab"
    assert config.gssapi.realms == ("EXAMPLE.ORG",)
    assert settings_in(config)["gssapi"] == {
        "keytab": str(tmp_path / "smtp.keytab"),
        "service": "smtp",
        "host": "mail.example.org",
        "realms": ["EXAMPLE.ORG"],
    }


def test_what_holds_without_the_tables(tmp_path):
    config = configuration(tmp_path)
    assert config.anonymous.user == "anonymous"
    assert config.gssapi.keytab is None
    assert config.gssapi.service == "smtp"


@pytest.mark.parametrize(
    ("tables", "problem"),
    [
        ({"anonymous": {"user": ""}}, "anonymous.user: user name: empty"),
        ({"anonymous": {"user": "two\nlines"}}, "anonymous.user: user name: character 4 is prohibited"),
        ({"anonymous": {"usr": "guest"}}, "anonymous.usr: unknown key; did you mean user?"),
        ({"gssapi": {"keytab": 3}}, "gssapi.keytab: expected a path, got 3"),
        ({"gssapi": {"realms": "EXAMPLE.ORG"}}, "gssapi.realms: expected an array, got 'EXAMPLE.ORG'"),
        ({"gssapi": {"service": ""}}, "gssapi.service: "),
        ({"gssapi": {"relams": []}}, "gssapi.relams: unknown key; did you mean realms?"),
    ],
)
def test_what_may_not(tmp_path, tables, problem):
    (told,) = problems(tmp_path, **tables)
    assert told.startswith(problem)


def test_keys_have_to_be_there_only_where_gssapi_is_offered(tmp_path):
    table = {"keytab": "missing"}
    configured_gssapi(configuration(tmp_path, gssapi=table))
    offered = configuration(tmp_path, gssapi=table, listen=[{"unix": "auth.sock", "mechanisms": ["gssapi"]}])
    with pytest.raises(ConfigurationError, match=r"^ninsho.toml: gssapi: "):
        configured_gssapi(offered)
