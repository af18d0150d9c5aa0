"""GSSAPI without Kerberos: which messages go to and fro, and what is made of every wrong one."""

import sys
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ninsho.errors import ConfigurationError, ExchangeError, MalformedMessage, StoreUnavailable, TicketRefused
from ninsho.sasl.dialogue import Challenge, Compute, Denial, Denied, Granted, Identity, Remark
from ninsho.sasl.exchange import Channel, Credentials, Exchange
from ninsho.sasl.gssapi import CHOICE, GSSAPI, gssapi, gssapi_client, parse_choice, username_of
from ninsho.sasl.kerberos import ServiceKeys

TIM = "tim@EXAMPLE.ORG"
REALMS = ("EXAMPLE.ORG",)


class Context:
    """A context that says *tokens* in their order, and signs by putting an S before what it signs."""

    def __init__(self, *tokens, initiator=TIM):
        self.initiator = initiator
        self.heard = []
        self._tokens = list(tokens)

    @property
    def complete(self):
        return not self._tokens

    def step(self, token):
        self.heard.append(token)
        said = self._tokens.pop(0)
        if isinstance(said, Exception):
            raise said
        return said

    def wrap(self, message):
        return b"S" + message

    def unwrap(self, token):
        if token[:1] != b"S":
            raise TicketRefused("Kerberos: the signature is not good")
        return token[1:]


class Server:
    """A server's side; what it asks others than the client is answered at once."""

    def __init__(self, context, realms=REALMS):
        self.remarks = []
        self._dialogue = None
        self._start = lambda response: gssapi(response, accept=lambda: context, realms=realms)

    def hear(self, response):
        """Return the challenge that answers *response*, or the verdict."""
        if self._dialogue is None:
            self._dialogue, response = self._start(response), None
        advance, answer = self._dialogue.send, response
        try:
            while True:
                match advance(answer):
                    case Challenge(data):
                        return data
                    case Remark(text):
                        advance, answer = self._dialogue.send, self.remarks.append(text)
                    case Compute(function, arguments):
                        advance, answer = self._computed(function, arguments)
        except StopIteration as end:
            return end.value

    def _computed(self, function, arguments):
        try:
            return self._dialogue.send, function(*arguments)
        except TicketRefused as error:
            return self._dialogue.throw, error


def client(context, **names):
    credentials = Credentials(channel=Channel(host="mail.example.org"), **names)
    return Exchange(gssapi_client(credentials, initiate=lambda _: context))


def told_all(exchange, challenges):
    for challenge in challenges:
        exchange.answer(challenge)


def test_a_login_in_which_both_sides_prove_who_they_are():
    server, context = Server(Context(b"AP-REP")), Context(b"AP-REQ", b"")
    exchange = client(context)
    assert exchange.begin() == b"AP-REQ"
    assert server.hear(b"AP-REQ") == b"AP-REP"
    assert exchange.answer(b"AP-REP") == b""
    assert server.hear(b"") == b"S\1\0\0\0"
    assert exchange.answer(b"S\1\0\0\0") == b"S\1\0\0\0"
    assert server.hear(b"S\1\0\0\0") == Granted(Identity("tim"))
    exchange.conclude()
    assert context.heard == [b"", b"AP-REP"]


def test_a_client_that_does_not_ask_who_the_server_is_needs_one_message_less():
    server = Server(Context(b""))
    assert server.hear(b"AP-REQ") == b"S\1\0\0\0"
    assert server.hear(b"S\1\0\0\0") == Granted(Identity("tim"))


def test_the_server_asks_where_there_is_no_initial_response():
    server = Server(Context(b""))
    assert server.hear(None) == b""
    assert server.hear(b"AP-REQ") == b"S\1\0\0\0"


@pytest.mark.parametrize(
    ("authzid", "realms", "identity"),
    [
        (b"", REALMS, Identity("tim")),
        (b"tim", REALMS, Identity("tim")),
        (TIM.encode(), REALMS, Identity("tim")),
        (b"ann", REALMS, Identity("tim", "ann")),
        (b"", (), Identity(TIM)),
        (b"tim", (), Identity(TIM, "tim")),
        (b"tim@example.org", REALMS, Identity("tim", "tim@example.org")),
    ],
)
def test_whom_a_client_acts_as(authzid, realms, identity):
    server = Server(Context(b""), realms)
    server.hear(b"AP-REQ")
    assert server.hear(b"S" + CHOICE + authzid) == Granted(identity)


@pytest.mark.parametrize(
    ("names", "authzid"),
    [({}, b""), ({"username": "tim"}, b"tim"), ({"username": "tim", "authzid": "ann"}, b"ann")],
)
def test_whom_our_client_says(names, authzid):
    exchange = client(Context(b""), **names)
    exchange.begin()
    assert exchange.answer(b"S\7\0\xff\xff") == b"S\1\0\0\0" + authzid


@pytest.mark.parametrize("message", [b"", b"\1", b"\1\0", b"\1\0\0"])
def test_a_signed_message_of_less_than_four_octets(message):
    """GNU SASL read behind its end (CVE-2022-2469)."""
    with pytest.raises(MalformedMessage, match=f"expected 4 octets at least, got {len(message)}"):
        parse_choice(message)
    exchange = client(Context(b""))
    exchange.begin()
    with pytest.raises(ExchangeError):
        exchange.answer(b"S" + message)


@pytest.mark.parametrize("message", [b"\0\0\0\0", b"\2\0\1\0", b"\4\0\1\0", b"\3\0\0\0", b"\xff\0\0\0tim"])
def test_a_layer_that_was_not_offered(message):
    with pytest.raises(MalformedMessage, match=r"expected no security layer \(0x01\), got 0x"):
        parse_choice(message)


@pytest.mark.parametrize("size", [b"\0\0\0", b"\0\xff\xff", b"\xff\xff\xff"])
def test_a_size_says_nothing_without_a_layer(size):
    assert parse_choice(b"\1" + size + b"tim") == b"tim"


def test_a_nul_in_the_name():
    with pytest.raises(MalformedMessage, match="NUL"):
        parse_choice(CHOICE + b"tim\0root")


@pytest.mark.parametrize("offer", [b"\0\0\0\0", b"\2\0\1\0", b"\6\0\1\0"])
def test_our_client_takes_no_layer(offer):
    exchange = client(Context(b""))
    exchange.begin()
    with pytest.raises(ExchangeError, match="insists on a security layer"):
        exchange.answer(b"S" + offer)


@pytest.mark.parametrize(
    ("principal", "username"),
    [
        ("tim@EXAMPLE.ORG", "tim"),
        ("tim@OTHER.EXAMPLE", "tim@OTHER.EXAMPLE"),
        ("tim@example.org", "tim@example.org"),
        ("tim/admin@EXAMPLE.ORG", "tim/admin"),
        ("tim@", "tim@"),
        ("tim", "tim"),
    ],
)
def test_a_realm_of_ours_is_left_out(principal, username):
    assert username_of(principal, REALMS) == username


@pytest.mark.parametrize(
    "principal",
    [
        "WELLKNOWN/ANONYMOUS@EXAMPLE.ORG",
        "WELLKNOWN/ANONYMOUS@WELLKNOWN:ANONYMOUS",
        r"tim\@OTHER.EXAMPLE@EXAMPLE.ORG",
        r"tim\@EXAMPLE.ORG@OTHER.EXAMPLE",
        r"tim\/admin@EXAMPLE.ORG",
        r"tim\0@EXAMPLE.ORG",
        r"tim\xff@EXAMPLE.ORG",
    ],
)
def test_a_principal_that_is_nobody_or_might_pass_for_somebody_else(principal):
    server = Server(Context(b"", initiator=principal))
    server.hear(b"AP-REQ")
    assert server.hear(b"S" + CHOICE) == Denied(Denial.TOKEN)
    assert len(server.remarks) == 1


def test_a_ticket_that_is_refused_is_a_verdict_and_a_remark():
    server = Server(Context(TicketRefused("Kerberos: Clock skew too great")))
    assert server.hear(b"AP-REQ") == Denied(Denial.TOKEN)
    assert server.remarks == ["Kerberos: Clock skew too great"]


def test_a_signature_that_is_not_good():
    server = Server(Context(b""))
    server.hear(b"AP-REQ")
    assert server.hear(b"X" + CHOICE) == Denied(Denial.TOKEN)


def test_a_machine_that_cannot_tell_is_not_the_users_fault():
    with pytest.raises(StoreUnavailable):
        Server(Context(StoreUnavailable("Kerberos: No space left on device"))).hear(b"AP-REQ")


def test_a_context_that_has_nothing_to_say_and_is_not_complete():
    server = Server(Context(b"", b""))
    assert server.hear(b"AP-REQ") == Denied(Denial.TOKEN)


def test_a_client_that_goes_on_when_it_has_no_token_left():
    server = Server(Context(b"AP-REP"))
    server.hear(b"AP-REQ")
    with pytest.raises(MalformedMessage, match="expected an empty response after the last token, got 3 octets"):
        server.hear(b"abc")


@pytest.mark.parametrize("steps", [0, 1])
def test_a_success_that_comes_too_early_is_not_believed(steps):
    exchange = client(Context(b"AP-REQ", b""))
    exchange.begin()
    for _ in range(steps):
        exchange.answer(b"AP-REP")
    with pytest.raises(ExchangeError, match="before it had proved"):
        exchange.conclude()


def test_a_server_that_goes_on_when_all_is_said():
    exchange = client(Context(b""))
    exchange.begin()
    exchange.answer(b"S" + CHOICE)
    with pytest.raises(ExchangeError):
        exchange.answer(b"")


@pytest.mark.parametrize(
    "error", [TicketRefused("Kerberos: Ticket expired"), StoreUnavailable("Kerberos: No such file")]
)
def test_our_client_has_one_kind_of_error(error):
    with pytest.raises(ExchangeError, match=r"^Kerberos: "):
        client(Context(error)).begin()
    exchange = client(Context(b"AP-REQ", error))
    exchange.begin()
    with pytest.raises(ExchangeError, match=r"^Kerberos: "):
        exchange.answer(b"AP-REP")


def test_a_ticket_is_for_a_host():
    with pytest.raises(ExchangeError, match="host name"):
        Exchange(gssapi_client(Credentials())).begin()


def test_a_machine_without_the_package_is_told_what_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "gssapi", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'ninsho\[gssapi\]'"):
        ServiceKeys().check()
    with pytest.raises(ConfigurationError, match=r"pip install 'ninsho\[gssapi\]'"):
        Exchange(gssapi_client(Credentials(channel=Channel(host="mail.example.org")))).begin()


@given(messages=st.lists(st.binary(max_size=12), min_size=3, max_size=3), signed=st.booleans())
def test_no_message_raises_anything_but_our_own_error(messages, signed):
    server = Server(Context(b"AP-REP"))
    told = ""
    try:
        for message in messages:
            verdict = server.hear(b"S" + message if signed and message else message)
            if not isinstance(verdict, bytes):
                break
    except MalformedMessage:
        told = traceback.format_exc()
        verdict = None
    assert isinstance(verdict, bytes | Granted | Denied | None)
    assert not any(len(message) > 8 and repr(message) in told for message in messages)


@given(answers=st.lists(st.binary(max_size=8), min_size=1, max_size=4))
def test_our_client_believes_no_server_that_signs_nothing(answers):
    exchange = client(Context(b"AP-REQ", b""))
    exchange.begin()
    with pytest.raises(ExchangeError):
        told_all(exchange, [*(answer.lstrip(b"S") for answer in answers), *[b"\1\0\0\0"] * 4])


def test_it_is_offered_only_where_it_is_named():
    assert not GSSAPI.default
    assert GSSAPI.binary
    assert GSSAPI.vouched
