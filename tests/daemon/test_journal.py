import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ninsho.daemon.journal import Decision, Journal, quoted
from ninsho.sasl.dialogue import Denial
from ninsho.stores.accounts import Request

REQUEST = Request("PLAIN", ["service=smtp", "rip=192.0.2.1"], 4711)


def lines(decision, **options):
    written = []
    journal = Journal(written.append)
    if options:
        journal.configure(**{"format": "text", "decisions": "all"} | options)
    journal.decided(decision)
    return "".join(written)


def test_a_decision_names_the_address_before_what_the_user_typed_and_the_user_last():
    line = lines(Decision(REQUEST, "alice@example.org", Denial.MISMATCH, "", 2.004))
    assert line == (
        "auth: result=fail rip=192.0.2.1 service=smtp mech=PLAIN cause=badpassword pid=4711 ms=2004"
        ' user="alice@example.org"\n'
    )


@given(st.text(), st.text(), st.text())
def test_no_name_no_mechanism_and_no_service_can_forge_a_line(user, mechanism, service):
    line = lines(
        Decision(Request(mechanism, [f"service={service}", "rip=192.0.2.1"], 4711), user, Denial.UNKNOWN, "", 0.0)
    )
    assert line.count("\n") == 1
    assert line[:-1].isprintable()
    assert line.startswith("auth: result=fail rip=192.0.2.1 ")
    assert line.endswith(f" user={quoted(user)}\n")
    # Outside the quotes there is one user= and one result=.
    bare = "".join(
        part for index, part in enumerate(line.replace("\\\\", "").replace('\\"', "").split('"')) if index % 2 == 0
    )
    assert bare.count("user=") == bare.count("result=") == 1


@given(st.text())
def test_a_quoted_text_can_be_read_back(text):
    assert quoted(text).startswith('"')
    if text.isascii():
        inner = quoted(text)[1:-1]
        assert inner.encode().decode("unicode_escape") == text


@pytest.mark.parametrize(
    ("cause", "result"),
    [
        (None, "ok"),
        (Denial.UNKNOWN, "fail"),
        (Denial.UNAVAILABLE, "temp"),
        (Denial.ERROR, "temp"),
        (Denial.ABORTED, "aborted"),
    ],
)
def test_only_wrong_credentials_are_called_a_failure(cause, result):
    assert f"result={result} " in lines(Decision(REQUEST, "u", cause, "", 0.0))


def test_json_has_the_same_facts():
    decision = Decision(REQUEST, 'a"b', Denial.MISMATCH, "", 0.25)
    assert json.loads(lines(decision, format="json")) == {
        "event": "auth",
        "result": "fail",
        "rip": "192.0.2.1",
        "service": "smtp",
        "mech": "PLAIN",
        "cause": "badpassword",
        "pid": 4711,
        "ms": 250,
        "detail": "",
        "user": 'a"b',
    }


def test_successes_can_be_left_out():
    granted = Decision(REQUEST, "u", None, "", 0.0)
    failed = Decision(REQUEST, "u", Denial.UNKNOWN, "", 0.0)
    assert lines(granted, decisions="failures") == ""
    assert lines(failed, decisions="failures") != ""
    assert lines(failed, decisions="none") == ""


def test_the_lines_of_one_turn_leave_together():
    written, soon = [], []
    journal = Journal(written.append, soon=soon.append)
    journal.note("one", number=1)
    journal.note("two", text="a b")
    assert written == []
    assert len(soon) == 1
    soon[0]()
    assert written == ['one: number=1\ntwo: text="a b"\n']


def test_trouble_names_the_place_and_no_values():
    written = []
    try:
        secret = "sesame"
        raise RuntimeError(secret)  # noqa: TRY301 - the place is what is tested
    except RuntimeError as error:
        Journal(written.append).trouble("login-error", error)
    assert written[0].startswith("login-error: error=RuntimeError place=test_journal.py:")
    assert secret not in written[0]
