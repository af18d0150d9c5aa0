"""Which mechanisms a client tries, in which order, and what it says of the rest."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ninsho.errors import ConfigurationError, NoMechanism
from ninsho.sasl.choosing import RANKING, Chooser, Level, Rejected, channel_for
from ninsho.sasl.dialogue import Granted, Identity
from ninsho.sasl.exchange import Channel, Credentials
from ninsho.sasl.mechanism import Mechanism, Properties, mechanism
from ninsho.sasl.plain import PLAIN
from ninsho.sasl.registry import clients
from ninsho.sasl.scram import SCRAM_SHA_256, SCRAM_SHA_256_PLUS

PASSWORD = Credentials("tim", "sesame")
TOKEN = Credentials("tim", token="ya29.sesame")
NOTHING = Credentials("tim")
BOUND = replace(PASSWORD, channel=Channel(bindings={"tls-server-end-point": b"hash"}))
SHOWN = {"OAUTHBEARER", "XOAUTH2", "PLAIN", "LOGIN"}


def stand_in(name):
    """A mechanism of this name: choosing looks at names and properties alone."""
    properties = Properties.NONE
    if name.endswith("-PLUS"):
        properties = Properties.MUTUAL_AUTH | Properties.CHANNEL_BINDING
    elif name in SHOWN:
        properties = Properties.PLAINTEXT
    return Mechanism(name, None, lambda _: None, properties)


EVERY = {rank.name: stand_in(rank.name) for rank in RANKING}


def chooser(credentials=PASSWORD, *, tls=True, **wishes):
    return Chooser(**{"credentials": credentials, "tls": tls, "clients": EVERY, **wishes})


def names(choice):
    return [one.name for one in choice.candidates]


def tried(offered, credentials=PASSWORD, **wishes):
    return names(chooser(credentials, **wishes).choose(offered.split()))


def why_not(offered, credentials=PASSWORD, **wishes):
    with pytest.raises(NoMechanism) as raised:
        chooser(credentials, **wishes).choose(offered.split())
    return str(raised.value)


def test_the_clients_order_counts_and_not_the_servers():
    assert tried("LOGIN PLAIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256 SCRAM-SHA-512 DIGEST-MD5 SCRAM-SHA3-512") == [
        *("SCRAM-SHA-512", "SCRAM-SHA3-512", "SCRAM-SHA-256", "SCRAM-SHA-1"),
        *("PLAIN", "LOGIN", "DIGEST-MD5", "CRAM-MD5"),
    ]


def test_without_tls_the_password_is_not_said():
    assert tried("PLAIN LOGIN CRAM-MD5", tls=False) == ["CRAM-MD5"]
    assert tried("PLAIN LOGIN CRAM-MD5", tls=False, allow_cleartext=True) == ["CRAM-MD5", "PLAIN", "LOGIN"]
    assert tried("PLAIN LOGIN SCRAM-SHA-1 DIGEST-MD5", tls=False) == ["SCRAM-SHA-1", "DIGEST-MD5"]


def test_without_tls_a_token_is_not_said():
    assert why_not("OAUTHBEARER XOAUTH2", TOKEN, tls=False).endswith("offers OAUTHBEARER XOAUTH2: no TLS")
    assert tried("XOAUTH2 OAUTHBEARER", TOKEN, tls=False, allow_cleartext=True) == ["OAUTHBEARER", "XOAUTH2"]


def test_asking_for_a_mechanism_by_name_does_not_permit_it_without_tls():
    assert why_not("PLAIN LOGIN", tls=False, force="plain").endswith("the server offers PLAIN: no TLS; LOGIN")


def test_a_token_comes_first_where_one_is_given():
    both = replace(TOKEN, password="sesame")
    assert tried("PLAIN SCRAM-SHA-256 XOAUTH2 OAUTHBEARER", both) == [
        *("OAUTHBEARER", "XOAUTH2", "SCRAM-SHA-256", "PLAIN"),
    ]
    assert tried("PLAIN SCRAM-SHA-256 XOAUTH2 OAUTHBEARER", TOKEN) == ["OAUTHBEARER", "XOAUTH2"]
    assert tried("PLAIN XOAUTH2") == ["PLAIN"]


def test_a_token_that_is_still_to_be_got_is_not_got_for_choosing():
    def get():
        pytest.fail("nobody has asked for the token yet")

    assert tried("XOAUTH2", replace(NOTHING, token=get)) == ["XOAUTH2"]


def test_a_certificate_serves_where_nothing_else_is_given():
    assert tried("PLAIN EXTERNAL", NOTHING, certificate=True) == ["EXTERNAL"]
    assert tried("PLAIN EXTERNAL", PASSWORD, certificate=True) == ["PLAIN"]
    assert tried("XOAUTH2 EXTERNAL", TOKEN, certificate=True) == ["XOAUTH2"]
    assert tried("PLAIN EXTERNAL", PASSWORD, certificate=True, force="EXTERNAL") == ["EXTERNAL"]
    # As on a UNIX socket, where the system says who connects.
    assert tried("EXTERNAL", NOTHING, force="EXTERNAL") == ["EXTERNAL"]
    assert "EXTERNAL: needs a certificate" in why_not("EXTERNAL", NOTHING)


def test_gssapi_and_anonymous_wait_to_be_asked_for():
    assert tried("GSSAPI ANONYMOUS PLAIN") == ["PLAIN"]
    assert tried("GSSAPI ANONYMOUS PLAIN", NOTHING, force="gssapi") == ["GSSAPI"]
    assert tried("GSSAPI ANONYMOUS PLAIN", NOTHING, force="ANONYMOUS") == ["ANONYMOUS"]


def test_what_binds_the_channel_comes_before_all_that_does_not():
    offered = "SCRAM-SHA-1 SCRAM-SHA-1-PLUS SCRAM-SHA-256 SCRAM-SHA-256-PLUS SCRAM-SHA-512 PLAIN"
    assert tried(offered, BOUND) == ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-512", "PLAIN"]
    assert tried(offered) == ["SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"]


def test_who_refuses_the_bound_form_does_not_get_the_same_without():
    choice = chooser(BOUND).choose(["SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"])
    assert names(choice) == ["SCRAM-SHA-256-PLUS"]
    assert choice.rejected == (Rejected("SCRAM-SHA-256", "SCRAM-SHA-256-PLUS is offered as well"),)


def test_the_form_without_binding_serves_where_the_bound_one_is_excluded_or_not_asked_for():
    offered = "SCRAM-SHA-256 SCRAM-SHA-256-PLUS"
    assert tried(offered, BOUND, exclude=["scram-sha-256-plus"]) == ["SCRAM-SHA-256"]
    assert tried(offered, BOUND, force="SCRAM-SHA-256") == ["SCRAM-SHA-256"]


def test_required_binding_is_never_silently_optional():
    # As in pgjdbc (CVE-2025-49146).
    assert tried("PLAIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS", BOUND, require_binding=True) == ["SCRAM-SHA-256-PLUS"]
    assert why_not("PLAIN SCRAM-SHA-256", BOUND, require_binding=True) == (
        "expected a mechanism that can be used, with channel binding, the server offers "
        "PLAIN SCRAM-SHA-256: does not bind the channel"
    )
    told = why_not("SCRAM-SHA-256 SCRAM-SHA-256-PLUS", PASSWORD, require_binding=True)
    assert "SCRAM-SHA-256-PLUS: nothing is known to bind the channel by" in told
    assert "SCRAM-SHA-256: does not" in why_not("SCRAM-SHA-256", BOUND, require_binding=True, force="SCRAM-SHA-256")
    assert why_not("EXTERNAL", NOTHING, certificate=True, require_binding=True)


@pytest.mark.parametrize(
    ("minimum", "kept"),
    [
        ("nothing", "SCRAM-SHA-256 SCRAM-SHA-1 PLAIN LOGIN DIGEST-MD5 CRAM-MD5"),
        ("plaintext", "SCRAM-SHA-256 SCRAM-SHA-1 PLAIN LOGIN DIGEST-MD5 CRAM-MD5"),
        ("PLAIN", "SCRAM-SHA-256 SCRAM-SHA-1 PLAIN DIGEST-MD5 CRAM-MD5"),
        ("hidden", "SCRAM-SHA-256 SCRAM-SHA-1 DIGEST-MD5 CRAM-MD5"),
        ("digest-md5", "SCRAM-SHA-256 SCRAM-SHA-1 DIGEST-MD5"),
        ("mutual", "SCRAM-SHA-256 SCRAM-SHA-1"),
        ("scram-sha-1", "SCRAM-SHA-256 SCRAM-SHA-1"),
        ("SCRAM-SHA-256", "SCRAM-SHA-256"),
    ],
)
def test_a_required_minimum_never_falls_lower(minimum, kept):
    assert tried("PLAIN LOGIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-1 SCRAM-SHA-256", minimum=minimum) == kept.split()


def test_a_minimum_that_the_server_does_not_reach_is_an_error():
    assert why_not("PLAIN CRAM-MD5 SCRAM-SHA-1", minimum="scram-sha-256") == (
        "expected scram-sha-256 or better, the server offers PLAIN CRAM-MD5 SCRAM-SHA-1: below scram-sha-256"
    )
    assert why_not("SCRAM-SHA-256", BOUND, minimum="bound")
    assert why_not("XOAUTH2", TOKEN, minimum="hidden")
    assert why_not("PLAIN", force="PLAIN", minimum="mutual")


def test_what_was_offered_in_any_spelling_counts_once():
    assert tried("plain PLAIN Plain login") == ["PLAIN", "LOGIN"]


def test_unknown_names_are_told_and_do_no_harm():
    choice = chooser().choose(["NTLM", "PLAIN", "", "  ", "X" * 30, "pl\u0131in", "A\x1b[31m", "LOGIN"])
    assert names(choice) == ["PLAIN", "LOGIN"]
    assert [name for name, reason in choice.rejected if reason == "not known"] == [
        *("NTLM", repr("X" * 20), r"'pl\u0131in'", r"'A\x1b[31m'"),
    ]


def test_excluded_ones_are_never_tried():
    assert tried("PLAIN LOGIN", exclude={"plain"}) == ["LOGIN"]
    assert why_not("PLAIN", exclude={"plain"}).endswith("PLAIN: excluded")


def test_only_the_one_that_is_asked_for_is_tried():
    assert tried("SCRAM-SHA-256 PLAIN LOGIN", force="login") == ["LOGIN"]
    assert why_not("PLAIN", force="LOGIN") == "expected LOGIN, the server offers PLAIN"
    told = why_not("PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256", force="gssapi")
    assert told == "expected gssapi, the server offers PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256"


def test_without_a_password_nothing_is_tried_that_needs_one():
    assert why_not("PLAIN SCRAM-SHA-256", NOTHING).endswith(
        "offers PLAIN SCRAM-SHA-256: needs a user name and a password"
    )
    assert why_not("PLAIN", Credentials(password="sesame")).endswith("offers PLAIN: needs a user name and a password")
    assert why_not("PLAIN", NOTHING, force="PLAIN")


def test_a_server_that_offers_nothing_is_told_so():
    assert why_not("") == (
        "expected a mechanism that can be used, the server offers no AUTH here: perhaps only on another port (587, 465)"
    )
    assert why_not("", tls=False).endswith("no AUTH here: perhaps only inside TLS, or on another port (587, 465)")


def test_the_error_has_each_name_with_its_reason():
    with pytest.raises(NoMechanism) as raised:
        chooser(tls=False).choose(["LOGIN", "NTLM"])
    assert raised.value.rejected == (("LOGIN", "no TLS"), ("NTLM", "not known"))


def test_a_mechanism_of_ones_own_is_tried_where_it_is_asked_for():
    @mechanism("OREORE", client=lambda _: None, plaintext=True)
    def oreore(response):
        return Granted(Identity("tim"))

    known = {"clients": {**EVERY, "OREORE": oreore}}
    assert tried("OREORE PLAIN", **known) == ["PLAIN"]
    assert tried("OREORE PLAIN", NOTHING, **known, force="oreore") == ["OREORE"]
    assert why_not("OREORE", NOTHING, **known, force="oreore", tls=False).endswith("OREORE: no TLS")


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        ({"minimum": "scram"}, r"minimum: expected one of NOTHING, .*, got 'scram'"),
        ({"force": "OREORE"}, r"force: expected one of .*, got 'OREORE'"),
        ({"exclude": ["PLIAN"]}, r"exclude: expected one of .*, got 'PLIAN'"),
        # One name instead of a list of names would exclude nothing.
        ({"exclude": "PLAIN"}, r"exclude: expected one of .*, got 'P'"),
        ({"minimum": ""}, r"minimum: expected"),
    ],
)
def test_a_misspelt_wish_is_an_error_at_once(wish, told):
    with pytest.raises(ConfigurationError, match=told):
        chooser(**wish)


@pytest.mark.parametrize(
    ("code", "next_one"),
    [
        (504, True),
        (534, True),
        (538, True),
        (432, True),
        (500, True),
        (535, False),
        (454, False),
        (530, False),
        (421, False),
        (501, False),
        (503, False),
        (550, False),
        (235, False),
        (334, False),
    ],
)
def test_a_refused_password_is_not_tried_by_each_other_mechanism(code, next_one):
    assert chooser().goes_on(code) is next_one
    assert chooser(fall_through=True).goes_on(code) is (next_one or code == 535)


def test_a_mechanism_is_told_whether_its_bound_form_was_offered():
    channel = Channel(host="mail.example.com", bindings={"tls-exporter": b"key"})
    offered = ["plain", "scram-sha-256", "scram-sha-256-plus", "SCRAM-SHA-1"]
    assert channel_for(SCRAM_SHA_256, offered, channel) == replace(channel, plus_offered=True)
    assert channel_for(SCRAM_SHA_256_PLUS, offered, channel).plus_offered
    assert not channel_for(stand_in("SCRAM-SHA-1"), offered, channel).plus_offered
    assert not channel_for(SCRAM_SHA_256, ["SCRAM-SHA-256"], replace(channel, plus_offered=True)).plus_offered
    assert not channel_for(PLAIN, offered, channel).plus_offered


def test_a_client_that_could_bind_says_so_where_the_server_seems_unable_to():
    for offered, header in ((["SCRAM-SHA-256"], b"y,,"), (["SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"], b"n,,")):
        asked = Chooser(
            credentials=BOUND, tls=True, force="SCRAM-SHA-256", clients={"SCRAM-SHA-256": SCRAM_SHA_256}
        ).choose(offered)
        (one,) = asked.candidates
        steps = one.client(replace(BOUND, channel=channel_for(one, offered, BOUND.channel)))
        assert next(steps).startswith(header + b"n=tim,r=")


def test_each_builtin_mechanism_has_its_place():
    assert set(clients()) <= {rank.name for rank in RANKING}
    assert all(rank.reason and "\n" not in rank.reason for rank in RANKING)


def test_no_secret_is_told():
    for credentials in (PASSWORD, TOKEN):
        assert "sesame" not in repr(chooser(credentials))
        assert "sesame" not in why_not("NTLM PLAIN XOAUTH2", credentials, tls=False)


every_name = st.sampled_from([*EVERY, "NTLM", "plain", "scram-sha-256"])


@given(
    offered=st.lists(every_name | st.text(max_size=25), max_size=12),
    tls=st.booleans(),
    credentials=st.sampled_from([PASSWORD, TOKEN, NOTHING, BOUND]),
    minimum=st.sampled_from([None, *EVERY, "plaintext", "hidden", "mutual", "bound"]),
    require_binding=st.booleans(),
    force=st.sampled_from([None, *EVERY]),
    exclude=st.sets(st.sampled_from(list(EVERY)), max_size=3),
)
def test_each_offered_name_is_tried_or_told_and_no_promise_is_broken(offered, tls, **wishes):
    credentials, minimum = wishes["credentials"], wishes["minimum"]
    ranks = {rank.name: rank for rank in RANKING}
    try:
        choice = Chooser(tls=tls, clients=EVERY, **wishes).choose(offered)
        candidates, rejected = set(names(choice)), {name for name, _ in choice.rejected}
        assert len(candidates) == len(choice.candidates) > 0
    except NoMechanism as error:
        candidates, rejected = set(), {name for name, _ in error.rejected}
    assert not candidates & rejected
    assert {name.upper() for name in offered if name.upper() in EVERY and name.isascii()} <= candidates | rejected
    assert tls or not candidates & SHOWN
    assert not candidates & wishes["exclude"]
    assert not wishes["force"] or candidates <= {wishes["force"]}
    bound = {name for name in candidates if name.endswith("-PLUS")}
    assert not wishes["require_binding"] or candidates == bound
    assert credentials.channel.bindings or not bound
    if minimum:
        floor = ranks[minimum].level if minimum in ranks else Level[minimum.upper()]
        assert all(ranks[name].level >= floor for name in candidates)
