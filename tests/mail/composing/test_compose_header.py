"""The header of a composed message: what words and fields may say, and how they are told that they may not."""

from datetime import UTC, date, datetime, timedelta, timezone
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from ninsho import Unsubscribe, compose, render
from ninsho.mail.unsendable import Unsendable


def composed(**words):
    return compose(**{"from_": "a@example.jp", "to": "b@example.jp", "text": "x\n"} | words)


def seen(**words):
    return message_from_bytes(render(composed(**words)), policy=policy.default)


# The words themselves.


def test_none_says_nothing():
    words = "to cc bcc reply_to sender subject attach headers references in_reply_to date charset unencodable kana"
    words += " encoding wrap flowed decoration source_charset images inline_css text_from_html priority unsubscribe"
    message = seen(**dict.fromkeys(words.split()))
    assert message.keys() == [
        *("From", "Date", "Message-ID", "MIME-Version", "Content-Type", "Content-Transfer-Encoding")
    ]


def test_a_word_that_there_is_not_is_said_in_words():
    with pytest.raises(TypeError, match=r"compose\(\) got an unexpected word 'txt' \(did you mean 'text'\?\)"):
        composed(txt="x")
    with pytest.raises(TypeError, match=r"compose\(\) got an unexpected word 'zzzz'\Z"):
        composed(zzzz="x")
    for words in ({}, {"from_": None}):
        with pytest.raises(TypeError, match=r"compose\(\) expected the word 'from_', got none"):
            compose(text="x", **words)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"unencodable": "ignore"}, "unencodable: expected one of error, replace, utf-8, got 'ignore'"),
        ({"source_charset": "bogus"}, "source_charset: expected the name of a charset"),
        ({"charset": "bogus"}, "charset: expected the name of a charset"),
        ({"subject": "a\nb"}, "subject: expected one line"),
        ({"subject": "😀", "charset": "iso-2022-jp"}, "subject: cannot be written in iso-2022-jp: '😀'"),
        ({"from_": "😀 <a@b.jp>", "charset": "iso-2022-jp"}, "from_: cannot be written in iso-2022-jp: '😀'"),
        ({"reply_to": "😀 <a@b.jp>", "charset": "iso-2022-jp"}, "reply_to: cannot be written in iso-2022-jp: '😀'"),
        ({"headers": {"X-A": "a\nb"}}, "headers: X-A: expected one line"),
        ({"headers": {"X-A": "😀"}, "charset": "iso-2022-jp"}, "headers: X-A: cannot be written in iso-2022-jp"),
        ({"headers": {"X A": "a"}}, "headers: expected the name of a header field, got 'X A'"),
        ({"headers": {"Auto-Submitted": "日本"}}, "headers: Auto-Submitted: expected ASCII, got"),
        ({"unsubscribe": "x:;"}, "unsubscribe: expected a URL or one address, got 'x:;'"),
        ({"unsubscribe": "a@b.jp, c@d.jp"}, "unsubscribe: expected a URL or one address, got"),
        ({"unsubscribe": Unsubscribe(mailto="nobody")}, "unsubscribe: expected an address with '@'"),
    ],
)
def test_an_error_begins_with_the_word_as_it_was_told(words, sentence):
    with pytest.raises(Unsendable) as raised:
        composed(**words)
    assert str(raised.value).startswith(sentence)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"date": "now"}, "date: expected a datetime, got str"),
        ({"date": date(2026, 1, 2)}, "date: expected a datetime, got date"),
        ({"headers": {"X-A": 5}}, "headers: X-A: expected text, got int"),
        ({"headers": [("X-A", "x")]}, "headers: expected values by their names, got list"),
        ({"in_reply_to": 5}, "in_reply_to: expected a Message-ID, or a message, got int"),
        ({"subject": 5}, "subject: expected text, got int"),
        ({"charset": 5}, "charset: expected the name of a charset, got int"),
        ({"calendar": 5}, "calendar: expected text, octets or a Path, got int"),
    ],
)
def test_what_is_of_another_kind_is_a_type_error(words, sentence):
    with pytest.raises(TypeError, match=sentence):
        composed(**words)


# Whom it names.


def test_a_group_of_nobody_may_stand_for_those_who_are_blind():
    message = composed(to="undisclosed-recipients:;", bcc="b@example.jp")
    assert seen(to="undisclosed-recipients:;", bcc="b@example.jp")["To"] == "undisclosed-recipients:;"
    assert message["Bcc"] == "b@example.jp"


def test_who_hears_of_the_reading_is_somebody_with_a_name():
    message = seen(headers={"Disposition-Notification-To": "山田 <yamada@example.jp>"})
    assert message["Disposition-Notification-To"] == "山田 <yamada@example.jp>"
    assert b"<yamada@example.jp>" in render(message)
    with pytest.raises(Unsendable, match="headers: Disposition-Notification-To: expected addresses"):
        composed(headers={"Disposition-Notification-To": "山田 <"})


# What it is about.


def test_the_subject_may_be_octets():
    assert seen(subject="お知らせ".encode("shift_jis"))["Subject"] == "お知らせ"


@pytest.mark.parametrize(
    ("subject", "expected"), [("", None), (" \t", None), ("\u3000", "\u3000"), ("\u00a0", "\u00a0")]
)
def test_a_space_that_is_no_blank_is_a_subject(subject, expected):
    octets = render(composed(subject=subject))
    assert (b"Subject:" in octets) == (expected is not None)
    if expected:
        assert message_from_bytes(octets, policy=policy.default)["Subject"] == expected


# What it answers.


def test_77_identifiers_of_others_may_lack_the_at_sign():
    message = seen(in_reply_to="<abc>", references=["<def>", "ghi@example.jp"])
    assert (message["In-Reply-To"], message["References"]) == ("<abc>", "<def> <ghi@example.jp> <abc>")
    for word in ("in_reply_to", "references"):
        with pytest.raises(Unsendable, match=f"{word}: expected a Message-ID"):
            composed(**{word: "abc"})
    with pytest.raises(Unsendable, match="message_id: expected a Message-ID"):
        composed(message_id="<abc>")


def test_77_a_message_can_be_answered():
    first = composed()
    second = composed(in_reply_to=first)
    third = composed(in_reply_to=message_from_bytes(render(second)))
    assert second["In-Reply-To"] == second["References"] == first["Message-ID"]
    assert third["In-Reply-To"] == second["Message-ID"]
    assert third["References"] == f"{first['Message-ID']} {second['Message-ID']}"


def test_77_what_it_refers_to_may_be_in_any_state():
    parent = EmailMessage()
    parent["Message-ID"], parent["References"] = "<p@example.jp>", "<a@x> nonsense <b@x>"
    assert composed(in_reply_to=parent)["References"] == "<a@x> <b@x> <p@example.jp>"
    del parent["References"]
    parent["In-Reply-To"] = "<a@x>"
    assert composed(in_reply_to=parent)["References"] == "<a@x> <p@example.jp>"
    with pytest.raises(Unsendable, match="in_reply_to: expected a message with a Message-ID, got one without"):
        composed(in_reply_to=EmailMessage())


# What else it says.


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ({"priority": "high"}, "X-Priority"),
        ({"priority": "high"}, "importance"),
        ({"auto_submitted": "auto-generated"}, "Auto-Submitted"),
        ({"unsubscribe": "https://example.jp/u"}, "List-Unsubscribe"),
        ({"unsubscribe": "https://example.jp/u"}, "List-Unsubscribe-Post"),
    ],
)
def test_a_field_is_told_by_one_word(words, name):
    with pytest.raises(Unsendable, match=f"headers: {name}: expected a field that no other word has told"):
        composed(**words, headers={name: "x"})
    assert composed(headers={name: "x"})[name] == "x"


def test_77_a_zone_has_minutes():
    when = datetime(2026, 11, 22, 9, 5, tzinfo=timezone(timedelta(hours=9, seconds=30)))
    assert seen(date=when)["Date"].datetime == datetime(2026, 11, 22, 0, 4, 30, tzinfo=UTC)
    assert composed(date=when)["Date"] == "Sun, 22 Nov 2026 09:04:30 +0900"
