"""Issuers on the network: keys that change, servers that are away, and questions about tokens."""

import asyncio
import json
import ssl
from contextlib import asynccontextmanager

import pytest
import trustme
from joserfc.jwk import ECKey
from made_up import run

from ninsho.daemon.config import decode
from ninsho.daemon.tokens import open_inspector
from ninsho.errors import StoreUnavailable
from ninsho.stores.tokens import web as web_module
from ninsho.stores.tokens.documents import discover
from pretend_issuer import CLIENT, KEYS, Clock, PretendIssuer, claims, jwks, settled, token

ALICE = "alice@example.org"


class Site:
    """An inspector for one issuer, and the clocks."""

    def __init__(self, inspector, clock, ticks):
        self.inspector, self.clock, self.ticks = inspector, clock, ticks

    async def inspect(self, shown):
        return await settled(self.inspector.inspect(shown))


@asynccontextmanager
async def site(folder, *tables):
    (folder / "secret").write_text(CLIENT[1] + "\n")
    config = decode({"oauth": [{"audience": ["smtp"], **table} for table in tables]}, source="t", folder=folder)
    clock, ticks = Clock(), Clock(0.0)
    async with open_inspector(config.oauth, clock=clock, ticks=ticks) as inspector:
        yield Site(inspector, clock, ticks)


def introspecting(server, /, **table):
    return {
        "introspection_url": f"{server.url}/introspect",
        "client_id": CLIENT[0],
        "client_secret_file": "secret",
        **table,
    }


def test_keys_are_found_by_the_issuers_metadata(tmp_path):
    async def play():
        async with PretendIssuer().serving() as issuer, site(tmp_path, {"issuer": issuer.url}) as here:
            assert not issuer.asked
            assert (await here.inspect(token(iss=issuer.url))).username == ALICE
            assert issuer.asked == ["/.well-known/openid-configuration", "/jwks"]
            refused = await here.inspect("x")
            assert refused.configuration == f"{issuer.url}/.well-known/openid-configuration"

    run(play())


@pytest.mark.parametrize(
    ("metadata", "told"),
    [
        ({"issuer": "https://evil.example"}, "issuer: expected http://127.0.0.1:"),
        ({"jwks_uri": "http://evil.example/jwks"}, "jwks_uri: expected a URL with https"),
        ({"jwks_uri": 1}, "jwks_uri: expected a URL"),
        ({"body": b"[]"}, "expected a JSON object"),
        ({"body": b"\xff"}, "expected a JSON object"),
        ({"status": 500}, "expected status 200, got 500"),
    ],
)
def test_metadata_that_cannot_be_right_are_an_outage(tmp_path, metadata, told):
    async def play():
        async with PretendIssuer().serving() as issuer, site(tmp_path, {"issuer": issuer.url}) as here:
            vars(issuer).update(metadata)
            with pytest.raises(StoreUnavailable, match=told):
                await here.inspect(token(iss=issuer.url))
            assert issuer.fetches == 0

    run(play())


@pytest.mark.parametrize(
    ("issuer", "url", "fault"),
    [
        ("https://id.example.org", "http://127.0.0.1:8080/admin", True),
        ("https://id.example.org", "https://127.0.0.1/admin", True),
        ("https://id.example.org", "http://localhost/admin", True),
        ("https://id.example.org", "https://LOCALHOST/admin", True),
        ("https://id.example.org", "http://[::1]:1/admin", True),
        ("https://id.example.org", "https://[::ffff:127.0.0.1]/admin", True),
        ("https://id.example.org", "https://keys.example.org/jwks", False),
        ("https://127.evil.example", "http://127.0.0.1/admin", True),
        ("http://127.0.0.1:8080/realm", "http://127.0.0.1:8081/jwks", False),
        ("https://localhost", "http://[::1]/jwks", False),
        ("http://[::1]", "https://keys.example.org/jwks", False),
        ("http://[::1]", "http://keys.example.org/jwks", True),
    ],
)
def test_only_an_issuer_on_the_machine_leads_to_a_place_on_it(issuer, url, fault):
    class Stub:
        def __init__(self):
            self.asked = []

        async def get(self, place):
            self.asked.append(place)
            told = {"issuer": issuer, "jwks_uri": url} if len(self.asked) == 1 else jwks(KEYS["ES256"])
            return web_module.Page(json.dumps(told).encode(), None)

    async def play():
        web = Stub()
        if fault:
            with pytest.raises(StoreUnavailable, match="jwks_uri: expected a URL with https"):
                await discover(web, issuer)
        else:
            assert (await discover(web, issuer)).keys.find("ec")
        assert web.asked[1:] == ([] if fault else [url])

    run(play())


@asynccontextmanager
async def fetching(folder, **table):
    """A site that fetches keys from an issuer's JWK Set."""
    async with PretendIssuer().serving() as issuer:
        name = {"issuer": "https://id.example.org/realms/mail", "jwks_url": f"{issuer.url}/jwks"}
        async with site(folder, name | table) as here:
            yield issuer, here


def test_a_new_key_is_fetched_when_a_token_names_it(tmp_path):
    async def play():
        async with fetching(tmp_path) as (issuer, here):
            assert (await here.inspect(token())).username == ALICE
            new = ECKey.generate_key("P-256", {"kid": "new"})
            issuer.keys = [new]
            here.ticks.now += 31
            assert (await here.inspect(token(key=new))).username == ALICE
            assert issuer.fetches == 2
            # The old key is gone with that.
            assert (await here.inspect(token(jti="2"))).username is None
            assert issuer.fetches == 2

    run(play())


def test_a_storm_of_unknown_keys_does_not_reach_the_issuer(tmp_path):
    async def play():
        async with fetching(tmp_path) as (issuer, here):
            strangers = [token(header={"kid": f"k{number}"}) for number in range(200)]
            inspections = await asyncio.gather(*(here.inspect(one) for one in strangers))
            assert {one.username for one in inspections} == {None}
            assert issuer.fetches == 1
            for number, one in enumerate(strangers):
                here.ticks.now = number / 10
                await here.inspect(one)
            assert issuer.fetches == 1
            here.ticks.now = 30.0
            await asyncio.gather(*(here.inspect(one) for one in strangers))
            assert issuer.fetches == 2

    run(play())


def test_logins_share_one_fetch_and_one_that_is_given_up_does_not_end_it(tmp_path):
    async def play():
        async with fetching(tmp_path) as (issuer, here):
            issuer.gate = asyncio.Event()
            waiting = [asyncio.create_task(here.inspect(token(jti=str(number)))) for number in range(20)]
            await issuer.came.wait()
            waiting[0].cancel()
            issuer.gate.set()
            answers = await asyncio.gather(*waiting, return_exceptions=True)
            assert isinstance(answers[0], asyncio.CancelledError)
            assert {one.username for one in answers[1:]} == {ALICE}
            assert issuer.fetches == 1

    run(play())


@pytest.mark.parametrize(
    ("header", "seconds"), [("max-age=600", 600), ("public, max-age=1", 60), ("max-age=99999999", 86_400), ("", 3600)]
)
def test_keys_hold_as_long_as_the_issuer_says_within_reason(tmp_path, header, seconds):
    async def play():
        async with fetching(tmp_path, remember="0s") as (issuer, here):
            issuer.headers = {"Cache-Control": header} if header else {}
            for moment, fetches in ((0, 1), (seconds - 1, 1), (seconds, 2)):
                here.ticks.now = float(moment)
                assert (await here.inspect(token())).username == ALICE
                assert issuer.fetches == fetches

    run(play())


def test_old_keys_serve_for_a_day_while_the_issuer_is_away(tmp_path):
    async def play():
        async with fetching(tmp_path, remember="0s") as (issuer, here):
            assert (await here.inspect(token())).username == ALICE
            issuer.status = 503
            here.ticks.now = 3600.0
            assert (await here.inspect(token())).username == ALICE
            assert (await here.inspect(token())).username == ALICE
            assert issuer.fetches == 2
            # Whether an unknown key is a new one, nobody can tell now.
            with pytest.raises(StoreUnavailable, match="expected status 200, got 503"):
                await here.inspect(token(header={"kid": "new"}))
            assert issuer.fetches == 2
            here.ticks.now += 10
            assert (await here.inspect(token())).username == ALICE
            assert issuer.fetches == 3
            here.ticks.now = 3600.0 + 86_400
            with pytest.raises(StoreUnavailable):
                await here.inspect(token())
            issuer.status = 200
            here.ticks.now += 10
            assert (await here.inspect(token())).username == ALICE

    run(play())


def test_a_server_that_is_gone_is_an_outage_and_no_refusal(tmp_path):
    async def play():
        async with PretendIssuer().serving() as issuer:
            url = issuer.url
        gone = {"issuer": "https://id.example.org/realms/mail", "jwks_url": f"{url}/jwks"}
        async with site(tmp_path, gone, introspecting(issuer)) as here:
            for shown in (token(), token(), "opaque"):
                with pytest.raises(StoreUnavailable, match=r"127\.0\.0\.1") as raised:
                    await here.inspect(shown)
                assert shown not in str(raised.value)

    run(play())


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({"status": 302, "headers": {"Location": "/elsewhere"}}, "expected status 200, got 302"),
        ({"body": b" " * ((1 << 20) + 1)}, "expected 1048576 octets at most"),
        ({"body": b"{}"}, "expected a JWK Set"),
        ({"body": b"{"}, "Expecting"),
        ({"keys": []}, "expected a usable public key, found none"),
    ],
)
def test_an_answer_that_cannot_be_right_is_an_outage(tmp_path, answer, told):
    async def play():
        async with fetching(tmp_path) as (issuer, here):
            vars(issuer).update(answer)
            with pytest.raises(StoreUnavailable, match=told):
                await here.inspect(token())
            assert issuer.asked == ["/jwks"]

    run(play())


def test_a_silent_server_is_not_waited_for(tmp_path, monkeypatch):
    async def play():
        monkeypatch.setattr(web_module, "PATIENCE", 0.05)
        async with fetching(tmp_path) as (issuer, here):
            issuer.gate = asyncio.Event()
            with pytest.raises(StoreUnavailable, match=r"expected an answer within 0.05 s, got none"):
                await here.inspect(token())
            issuer.gate.set()

    run(play())


def test_a_certificate_has_to_be_good(tmp_path, monkeypatch):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(tls)

    async def play():
        async with PretendIssuer().serving(tls) as issuer:
            async with site(tmp_path, {"issuer": issuer.url, "ca_file": "ca.pem"}) as here:
                assert (await here.inspect(token(iss=issuer.url))).username == ALICE
            async with site(tmp_path, {"issuer": issuer.url}) as here:
                with pytest.raises(StoreUnavailable, match="certificate verify failed"):
                    await here.inspect(token(iss=issuer.url))

    run(play())


# --- introspection


@pytest.mark.parametrize("way", ["basic", "post"])
def test_an_issuer_is_asked_by_somebody_it_knows(tmp_path, way):
    async def play():
        async with PretendIssuer().serving() as issuer:
            issuer.known = {"opaque": {"active": True, "aud": "smtp", "email": ALICE, "nbf": None}}
            async with site(tmp_path, introspecting(issuer, client_authentication=way)) as here:
                assert (await here.inspect("opaque")).username == ALICE
                assert (await here.inspect("opaque")).username == ALICE
                assert len(issuer.forms) == 1
                assert issuer.forms[0]["token"] == "opaque"
                assert ("client_secret" in issuer.forms[0]) is (way == "post")

    run(play())


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({"active": False}, "active: expected true"),
        ({"active": "true"}, "active: expected true"),
        ({"active": None}, "active: expected true"),
        ({"aud": None}, "aud: expected one of smtp, got none"),
        ({"exp": 1}, "exp: expired"),
        ({"iss": "https://evil.example"}, "iss: expected https://id.example.org"),
        ({"typ": "Refresh"}, "typ: expected an access token, got 'Refresh'"),
        ({"token_use": "refresh_token"}, "token_use: expected an access token, got 'refresh_token'"),
        ({"token_type": "refresh_token"}, "token_type: expected an access token, got 'refresh_token'"),
        ({"email": None}, "email: expected a user name, got none"),
        ({"scope": "other"}, "scope: expected mail too"),
    ],
)
def test_what_the_issuer_says_is_judged_as_well(tmp_path, answer, told):
    async def play():
        async with PretendIssuer().serving() as issuer:
            issuer.known = {"opaque": {**claims(active=True), **answer}}
            table = introspecting(issuer, issuer="https://id.example.org/realms/mail", scopes=["mail"])
            async with site(tmp_path, table) as here:
                inspection = await here.inspect("opaque")
                assert inspection.username is None
                assert inspection.detail.startswith(told)
                await here.inspect("opaque")
                assert len(issuer.forms) == 2, "a refusal was remembered"

    run(play())


def test_an_issuer_that_does_not_know_us_is_an_outage(tmp_path):
    async def play():
        async with (
            PretendIssuer().serving() as issuer,
            site(tmp_path, introspecting(issuer, client_id="stranger")) as here,
        ):
            with pytest.raises(StoreUnavailable, match="expected status 200, got 401"):
                await here.inspect("opaque")

    run(play())


def test_a_connection_that_was_closed_meanwhile_is_opened_again(tmp_path):
    async def play():
        issuer = PretendIssuer()
        issuer.known = {name: {"active": True, "aud": "smtp", "email": ALICE} for name in ("one", "two")}
        async with issuer.serving():
            port = int(issuer.url.rpartition(":")[2])
            inspector = site(tmp_path, introspecting(issuer))
            here = await inspector.__aenter__()
            assert (await here.inspect("one")).username == ALICE
        async with issuer.serving(port=port):
            assert (await here.inspect("two")).username == ALICE
            await inspector.__aexit__(None, None, None)

    run(play())


# --- several issuers


def test_a_token_is_shown_to_the_issuer_that_it_names(tmp_path):
    async def play():
        async with PretendIssuer().serving() as one, PretendIssuer().serving() as other:
            one.keys, other.keys = [KEYS["ES256"]], [ECKey.generate_key("P-256", {"kid": "ec"})]
            tables = [{"issuer": one.url}, {"issuer": other.url}]
            async with site(tmp_path, *tables, introspecting(one, issuer="https://third.example")) as here:
                assert (await here.inspect(token(iss=one.url))).username == ALICE
                assert not other.asked
                # One issuer's key does not sign for the other.
                assert (await here.inspect(token(iss=other.url))).username is None
                refused = await here.inspect(token(iss="https://fourth.example"))
                assert refused.detail == "iss: expected an issuer of the configuration"
                assert not one.forms
                await here.inspect(token(iss="https://third.example"))
                assert len(one.forms) == 1

    run(play())


def test_opaque_tokens_are_shown_to_each_issuer_until_one_knows_them(tmp_path):
    async def play():
        async with PretendIssuer().serving() as one, PretendIssuer().serving() as other:
            other.known = {
                "opaque": {"active": True, "aud": "smtp", "email": ALICE},
                "narrow": {"active": True, "aud": "smtp", "email": ALICE, "scope": "x"},
            }
            async with site(tmp_path, introspecting(one), introspecting(other, scopes=[])) as here:
                assert (await here.inspect("opaque")).username == ALICE
                assert (await here.inspect("unknown")).username is None
                one.status = 500
                assert (await here.inspect("narrow")).username == ALICE
                # It may be a token of the one that is away.
                with pytest.raises(StoreUnavailable):
                    await here.inspect("unknown")

    run(play())


def test_too_narrow_a_scope_is_told_by_the_issuer_that_knows_the_token(tmp_path):
    async def play():
        async with PretendIssuer().serving() as one, PretendIssuer().serving() as other:
            one.known = {"narrow": {"active": True, "aud": "smtp", "email": ALICE, "scope": "x"}}
            async with site(tmp_path, introspecting(one, scopes=["mail"]), introspecting(other)) as here:
                assert (await here.inspect("narrow")).status == "insufficient_scope"
                assert not other.forms

    run(play())
