from contextlib import suppress
from dataclasses import fields
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ninsho.mail.message import Options, Recipient, Submission, Unsendable, prepare
from ninsho.mail.options import xtext
from ninsho.wire.ehlo import Capabilities

MAIL = b"From: alice@example.com\r\nTo: bob@example.org\r\n\r\nHello\r\n"


def lines(options=None, recipient="bob@example.org", **offered):
    """MAIL's parameters and RCPT's."""
    capabilities = Capabilities(extensions={name.replace("_", "-"): tuple(words) for name, words in offered.items()})
    submission = Submission(MAIL, "alice@example.com", [recipient], options or Options())
    found = prepare(submission, capabilities, chunking=False)
    mail, rcpt = found.mail.decode(), found.rcpts[0].decode()
    assert mail.endswith("\r\n")
    assert rcpt.endswith("\r\n")
    return mail[len("MAIL FROM:<alice@example.com>") : -2].strip(), rcpt[len("RCPT TO:<bob@example.org>") : -2].strip()


def test_delivery_status_notifications():
    options = Options(notify=["success", "FAILURE"], ret="HDRS", envid="a+b=c d")
    assert lines(options, DSN=()) == ("RET=HDRS ENVID=a+2Bb+3Dc+20d", "NOTIFY=SUCCESS,FAILURE")
    # A wish that the server cannot grant keeps no message from going.
    assert lines(options) == ("", "")


def test_a_recipient_may_have_wishes_of_its_own():
    own = Recipient("bob@example.org", notify=["NEVER"], orcpt="Bob+x@example.org")
    assert lines(Options(notify=["DELAY"]), own, DSN=()) == ("", "NOTIFY=NEVER ORCPT=rfc822;Bob+2Bx@example.org")
    assert str(own) == "bob@example.org"


@pytest.mark.parametrize(
    ("orcpt", "parameter"),
    [
        ("bob@example.org", "rfc822;bob@example.org"),
        ("X400;/c=de/", "X400;/c+3Dde/"),
        # RFC 6533 §3.
        ("用@例.jp", r"utf-8;\x{7528}@\x{4F8B}.jp"),
        ("utf-8;a\\b+c", r"utf-8;a\x{5C}b\x{2B}c"),
    ],
)
def test_the_original_recipient_is_encoded(orcpt, parameter):
    assert lines(None, Recipient("bob@example.org", orcpt=orcpt), DSN=()) == ("", f"ORCPT={parameter}")


@pytest.mark.parametrize(
    ("auth", "parameter"),
    [
        ("<>", "<>"),
        ("", "<>"),
        ("alice@example.com", "alice@example.com"),
        ('"a=b"@example.com', '"a+3Db"@example.com'),
    ],
)
def test_the_submitter_is_named(auth, parameter):  # pitfall 51
    assert lines(Options(auth=auth), AUTH=["PLAIN"]) == (f"AUTH={parameter}", "")
    assert lines(Options(auth=auth)) == ("", "")


def test_requiring_tls_is_no_wish():
    assert lines(Options(require_tls=True), REQUIRETLS=()) == ("REQUIRETLS", "")
    with pytest.raises(Unsendable, match="expected a server that offers REQUIRETLS"):
        lines(Options(require_tls=True))


@pytest.mark.parametrize(
    ("options", "offer", "parameter"),
    [
        ({"deliver_by": 120}, (), "BY=120;N"),
        ({"deliver_by": -5}, (), "BY=-5;N"),
        ({"deliver_by": 120, "deliver_by_mode": "R", "deliver_by_trace": True}, ("60",), "BY=120;RT"),
        ({"deliver_by": 120, "deliver_by_mode": "R"}, ("121",), None),
        ({"deliver_by": 0, "deliver_by_mode": "R"}, (), None),
        ({"deliver_by": 10**9}, (), None),
        ({"deliver_by": 1, "deliver_by_mode": "X"}, (), None),
    ],
)
def test_a_deadline(options, offer, parameter):
    if parameter is not None:
        assert lines(Options(**options), DELIVERBY=offer) == (parameter, "")
    else:
        with pytest.raises(Unsendable, match="deliver_by"):
            lines(Options(**options), DELIVERBY=offer)
    with pytest.raises(Unsendable, match="expected a server that offers DELIVERBY"):
        lines(Options(**options))


NOON = datetime(2030, 1, 1, 12, tzinfo=timezone(timedelta(hours=9)))


@pytest.mark.parametrize(
    ("options", "parameter"),
    [
        ({"hold_for": 3600}, "HOLDFOR=3600"),
        ({"hold_until": NOON}, "HOLDUNTIL=2030-01-01T03:00:00Z"),
        ({"hold_for": 86_401}, None),
        ({"hold_for": 0}, None),
        ({"hold_until": NOON.replace(tzinfo=None)}, None),
        ({"hold_until": datetime(2031, 1, 1, tzinfo=UTC)}, None),
        ({"hold_for": 1, "hold_until": NOON}, None),
    ],
)
def test_a_later_release(options, parameter):
    offer = ("86400", "2030-12-31T00:00:00Z")
    if parameter is not None:
        assert lines(Options(**options), FUTURERELEASE=offer) == (parameter, "")
    else:
        with pytest.raises(Unsendable, match="hold_"):
            lines(Options(**options), FUTURERELEASE=offer)
    with pytest.raises(Unsendable, match="expected a server that offers FUTURERELEASE"):
        lines(Options(**options))


def test_a_priority():
    assert lines(Options(priority=-9), MT_PRIORITY=()) == ("MT-PRIORITY=-9", "")
    assert lines(Options(priority=3)) == ("", "")
    with pytest.raises(Unsendable, match="priority: expected -9 to 9, got 10"):
        lines(Options(priority=10))


def test_further_parameters_are_sent_as_they_are():
    options = Options(mail_parameters=["XVERP", "X-A=b<c>;d"], rcpt_parameters=["XRCPT=1"])
    assert lines(options) == ("XVERP X-A=b<c>;d", "XRCPT=1")


@pytest.mark.parametrize("parameter", ["", "A B", "A=", "=b", "A=b=c", "A=é", "-A", "A=" + "x" * 500])
def test_a_further_parameter_is_one_word(parameter):
    with pytest.raises(Unsendable, match="parameter"):
        lines(Options(mail_parameters=[parameter]))


@pytest.mark.parametrize(
    "options",
    [
        {"notify": ["NEVER", "DELAY"]},
        {"notify": []},
        {"notify": ["SOMETIMES"]},
        {"ret": "BODY"},
        {"envid": ""},
        {"envid": "é"},
        {"envid": "x" * 101},
        {"envid": "=" * 34},
        {"auth": "nobody in particular"},
        {"mail_parameters": "SIZE=1"},
    ],
)
def test_what_the_rfcs_do_not_know_is_refused_whatever_the_server_offers(options):
    for offered in ({}, {"DSN": (), "AUTH": ()}):
        with pytest.raises(Unsendable):
            lines(Options(**options), **offered)


NONSENSE = [
    5,
    1.5,
    "5",
    "five",
    b"x",
    float("nan"),
    float("inf"),
    ...,
    [5],
    [None],
    {},
    "a\ud800",
    "a\0b",
    NOON,
    -(10**40),
]
EVERYTHING = dict.fromkeys(("DSN", "AUTH", "MT_PRIORITY", "DELIVERBY", "FUTURERELEASE", "REQUIRETLS"), ())


@pytest.mark.parametrize("field", [field.name for field in fields(Options)])
@pytest.mark.parametrize("value", NONSENSE, ids=repr)
def test_a_wish_of_any_other_kind_is_refused_in_words(field, value):
    options = Options(**{"deliver_by": 5} if field.startswith("deliver_by_") else {}, **{field: value})
    for offered in (EVERYTHING, {}):
        with suppress(Unsendable):
            lines(options, **offered)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"priority": "5"}, "priority: expected -9 to 9, got '5'"),
        ({"deliver_by": "5"}, "deliver_by: expected -999999999 to 999999999 seconds, got '5'"),
        ({"hold_for": "5"}, "hold_for: expected 1 to 999999999 seconds, got '5'"),
        ({"hold_for": float("nan")}, "hold_for: expected 1 to 999999999 seconds, got nan"),
        ({"hold_until": "tomorrow"}, "hold_until: expected a datetime with its time zone, got 'tomorrow'"),
        ({"hold_until": datetime.max.replace(tzinfo=timezone(-timedelta(hours=9)))}, "hold_until: expected a datetime"),
        ({"envid": 5}, "envid: expected printable ASCII, got 5"),
        ({"auth": 5}, "auth: expected an address, got 5"),
        ({"notify": 5}, "notify: expected some of SUCCESS, FAILURE and DELAY, or NEVER, got 5"),
        ({"notify": [5]}, r"notify: expected some of .* got \[5\]"),
        ({"mail_parameters": 5}, "expected a list of parameters, got 5"),
        ({"rcpt_parameters": [5]}, "expected a parameter such as NAME=value, got 5"),
    ],
)
def test_the_sentence_names_the_wish(options, sentence):
    with pytest.raises(Unsendable, match=sentence):
        lines(Options(**options), **EVERYTHING)


def test_seconds_may_come_from_a_timedelta():
    assert lines(Options(hold_for=timedelta(hours=1).total_seconds()), FUTURERELEASE=()) == ("HOLDFOR=3600", "")


@pytest.mark.parametrize("value", NONSENSE, ids=repr)
@pytest.mark.parametrize("field", ["address", "notify", "orcpt"])
def test_a_recipient_of_any_other_kind_is_refused_in_words(field, value):
    with suppress(Unsendable):
        lines(None, Recipient(**{"address": "bob@example.org", field: value}), DSN=())


@pytest.mark.parametrize("recipients", [5, [5], [b"bob@example.org"], [Recipient(5)]], ids=repr)
def test_recipients_are_addresses(recipients):
    with pytest.raises(Unsendable, match="recipient"):
        prepare(Submission(MAIL, "a@example.com", recipients), Capabilities(), chunking=False)


@given(st.binary())
def test_xtext_can_be_read_back(octets):
    text = xtext(octets)
    assert text.isascii()
    assert not set(text) - {chr(code) for code in range(33, 127) if chr(code) != "="}
    first, *rest = text.encode().split(b"+")
    assert first + b"".join(bytes.fromhex(word[:2].decode()) + word[2:] for word in rest) == octets
