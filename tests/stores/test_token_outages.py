"""Issuers that hang, break or answer without end: one login waits for none of them for long, and none is a refusal."""

import asyncio
from contextlib import asynccontextmanager, suppress

import pytest
from aiohttp import web
from made_up import run
from token_site import CONFIGURATION, Site

from ninsho.daemon.config import decode
from ninsho.daemon.tokens import open_inspector
from ninsho.errors import StoreUnavailable
from ninsho.stores.tokens import turns
from ninsho.stores.tokens import web as web_module
from ninsho.stores.tokens.documents import Fetched
from ninsho.stores.tokens.introspection import ClientSecret, Introspection
from ninsho.stores.tokens.issuers import Issuers
from ninsho.stores.tokens.keys import Keys
from ninsho.stores.tokens.remembered import Remembered
from ninsho.stores.tokens.sources import FetchedKeys
from pretend_issuer import CLIENT, NOW, Clock, PretendIssuer, claims, settled, token

ALICE = "alice@example.org"
EXPECTATIONS = Site(scopes=()).expectations
KNOWN = EXPECTATIONS.judge(claims(), NOW, signed=False)
UNKNOWN = EXPECTATIONS.refused("active: expected true, got another value")
NARROW = EXPECTATIONS.refused("scope: expected mail too", "insufficient_scope")
AWAY = StoreUnavailable("https://one.example: expected status 200, got 503")


class Asked(Introspection):
    """An issuer that gives *answer*, when *gate* opens if there is one."""

    def __init__(self, answer, gate=None, name="https://hanging.example"):
        super().__init__(EXPECTATIONS, name, ClientSecret("", ""), web=None, clock=Clock())
        self.answer, self.gate = answer, gate
        self.begun, self.ended = asyncio.Event(), asyncio.Event()

    async def inspect(self, _token):
        self.begun.set()
        try:
            if self.gate is not None:
                await self.gate.wait()
            if isinstance(self.answer, Exception):
                raise self.answer
            return self.answer
        finally:
            self.ended.set()


def hanging(**named):
    return Asked(KNOWN, asyncio.Event(), **named)


@pytest.fixture
def impatient(monkeypatch):
    """Waits 0.5 s instead of 4."""
    monkeypatch.setattr(turns, "PATIENCE", 0.5)
    monkeypatch.setattr(web_module, "PATIENCE", 0.5)


# --- several issuers that are asked


@pytest.mark.parametrize("number", [1, 3, 12])
def test_however_many_issuers_hang_a_login_waits_as_for_one(impatient, number):
    async def play():
        issuers = [hanging(name=f"https://{one}.example") for one in range(number)]
        with pytest.raises(StoreUnavailable, match=r"https://0\.example.*: expected an answer within 0\.5 s, got none"):
            await asyncio.wait_for(turns.first_known(issuers, "opaque"), 5)
        assert all(one.begun.is_set() and one.ended.is_set() for one in issuers)

    run(play())


@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_issuer_that_hangs_does_not_lock_out_the_users_of_another(place):
    async def play():
        issuers = [hanging(), hanging(), hanging()]
        issuers[place] = Asked(KNOWN)
        assert await turns.first_known(issuers, "opaque") == KNOWN
        # Nobody is asked on in vain.
        assert all(one.ended.is_set() for one in issuers if one.begun.is_set())

    run(play())


def test_a_slow_issuer_has_not_lost_its_turn_when_the_next_one_is_asked():
    async def play():
        slow, next_one = hanging(), Asked(UNKNOWN)
        answer = asyncio.create_task(turns.first_known([slow, next_one], "opaque"))
        await next_one.ended.wait()
        slow.gate.set()
        assert await answer == KNOWN

    run(play())


@pytest.mark.parametrize("judged", [KNOWN, NARROW])
def test_a_token_is_not_shown_on_when_an_issuer_knows_it(judged):
    async def play():
        stranger = Asked(KNOWN)
        assert await turns.first_known([Asked(UNKNOWN), Asked(judged), stranger], "opaque") == judged
        assert not stranger.begun.is_set()

    run(play())


@pytest.mark.parametrize("others", [[AWAY, UNKNOWN], [UNKNOWN, AWAY], [UNKNOWN, AWAY, UNKNOWN], [AWAY, AWAY]])
def test_a_token_is_refused_only_where_every_issuer_has_refused_it(others):
    async def play():
        with pytest.raises(StoreUnavailable, match=r"https://one\.example: expected status 200, got 503"):
            await turns.first_known([Asked(one) for one in others], "opaque")
        assert await turns.first_known([Asked(one) for one in [*others, KNOWN]], "opaque") == KNOWN

    run(play())


@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_that_has_not_answered_may_be_the_one_whose_token_it_is(impatient, place):
    async def play():
        issuers = [Asked(UNKNOWN), Asked(UNKNOWN)]
        issuers.insert(place, hanging())
        with pytest.raises(StoreUnavailable, match=r"https://hanging\.example: expected an answer"):
            await turns.first_known(issuers, "opaque")

    run(play())


def test_where_all_refuse_the_first_one_speaks():
    async def play():
        other = Site(configuration="https://other.example").expectations.refused("active: no")
        judged = await turns.first_known([Asked(UNKNOWN), Asked(other)], "opaque")
        assert judged.inspection.configuration == CONFIGURATION

    run(play())


def test_a_login_that_is_given_up_asks_nobody_any_more():
    async def play():
        issuer = hanging()
        answer = asyncio.create_task(turns.first_known([issuer], "opaque"))
        await issuer.begun.wait()
        answer.cancel()
        with suppress(asyncio.CancelledError):
            await answer
        assert issuer.ended.is_set()

    run(play())


def test_an_outage_is_not_remembered():
    async def play():
        issuer = Asked(AWAY)
        issuers = Issuers([issuer, Asked(UNKNOWN)], Remembered(Clock()))
        with pytest.raises(StoreUnavailable):
            await issuers.inspect("opaque")
        issuer.answer = KNOWN
        assert (await issuers.inspect("opaque")).username == ALICE

    run(play())


# --- what nobody has thought of


class Broken:
    """A way to an issuer, with a fault of its own."""

    def __init__(self):
        self.asked = 0

    async def post(self, *_):
        self.asked += 1
        raise KeyError("sesame")

    async def fetch(self):
        await self.post()


def test_keys_are_not_fetched_anew_with_each_login_whatever_the_fault():
    async def play():
        broken, ticks = Broken(), Clock(0.0)
        keys = FetchedKeys(broken.fetch, ticks)
        for _ in range(3):
            with pytest.raises(StoreUnavailable, match="unexpected KeyError") as raised:
                await settled(keys.find("ec"))
            assert "sesame" not in str(raised.value)
        assert broken.asked == 1
        ticks.now = 10.0
        with pytest.raises(StoreUnavailable):
            await settled(keys.find("ec"))
        assert broken.asked == 2

    run(play())


def test_keys_that_were_fetched_serve_on_whatever_the_fault():
    async def play():
        broken, ticks = Broken(), Clock(0.0)
        answers = [Fetched(Keys([("ec", "key")]), 60.0)]

        async def fetch():
            return answers.pop() if answers else await broken.fetch()

        keys = FetchedKeys(fetch, ticks)
        for ticks.now in (0.0, 60.0, 61.0):
            assert await settled(keys.find("ec")) == ["key"]
        assert broken.asked == 1

    run(play())


def test_a_question_that_breaks_is_an_outage_whose_text_nobody_reads():
    async def play():
        asked = Introspection(EXPECTATIONS, "https://a.example", ClientSecret("a", "b"), web=Broken(), clock=Clock())
        with pytest.raises(StoreUnavailable, match=r"^https://a\.example: unexpected KeyError$") as raised:
            await Issuers([asked], Remembered(Clock())).inspect("opaque")
        assert raised.value.__context__ is None

    run(play())


# --- answers without end


class Endless(PretendIssuer):
    """It answers with *piece* again and again, as often as *paced* is awaited, until nobody listens."""

    def __init__(self, piece, paced):
        super().__init__()
        self.piece, self.paced = piece, paced
        self.sent = 0
        self.left = asyncio.Event()

    async def answer(self, request):
        response = web.StreamResponse()
        try:
            await response.prepare(request)
            while self.sent < 64 << 20:
                await response.write(self.piece)
                self.sent += len(self.piece)
                await asyncio.sleep(self.paced)
        finally:
            self.left.set()
        return response


@asynccontextmanager
async def asking(issuer, folder, *, way):
    (folder / "secret").write_text(CLIENT[1])
    table = {"jwks_url": f"{issuer.url}/jwks", "issuer": "https://id.example.org/realms/mail"}
    if way == "introspection":
        table = {
            "introspection_url": f"{issuer.url}/introspect",
            "client_id": CLIENT[0],
            "client_secret_file": "secret",
        }
    config = decode({"oauth": [{"audience": [], **table}]}, source="t", folder=folder)
    async with open_inspector(config.oauth, clock=Clock(), ticks=Clock(0.0)) as inspector:
        yield lambda: settled(inspector.inspect(token() if way == "keys" else "opaque"))


@pytest.mark.parametrize("way", ["keys", "introspection"])
def test_an_answer_that_trickles_is_not_waited_for(tmp_path, impatient, way):
    async def play():
        async with (
            Endless(b" ", 0.02).serving() as issuer,
            asking(issuer, tmp_path, way=way) as ask,
        ):
            with pytest.raises(StoreUnavailable, match=r"expected an answer within 0\.5 s, got none"):
                await asyncio.wait_for(ask(), 5)
            assert 0 < issuer.sent < 64
            await asyncio.wait_for(issuer.left.wait(), 5)

    run(play())


@pytest.mark.parametrize("way", ["keys", "introspection"])
def test_an_answer_without_end_is_left_at_its_limit(tmp_path, way):
    async def play():
        async with (
            Endless(b" " * 65_536, 0).serving() as issuer,
            asking(issuer, tmp_path, way=way) as ask,
        ):
            with pytest.raises(StoreUnavailable, match=r"expected 1048576 octets at most, got more"):
                await ask()
            await asyncio.wait_for(issuer.left.wait(), 5)
            # What is under way in both machines' buffers comes on top.
            assert issuer.sent < 16 << 20

    run(play())


def test_a_login_is_answered_before_the_mail_server_gives_up():
    assert web_module.PATIENCE == 4.0
    assert web_module.SIZE == 1 << 20
