"""What may be stored about a user, and user names as keys."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up import entries, moments, names

from ninsho.errors import MalformedMessage
from ninsho.stores.accounts import Account
from ninsho.stores.entries import Entry
from ninsho.stores.moments import parse_moment, write_moment
from ninsho.stores.names import MalformedEntry, key_of, prepare_name
from ninsho.stores.networks import parse_networks, write_networks
from ninsho.text import prepare_username


@given(names)
def test_a_stored_name_is_what_a_login_brings(name: str) -> None:
    stored = Entry(name).name
    assert stored == prepare_username(name.encode())
    assert prepare_name(stored) == stored


@given(names)
def test_a_key_is_its_own_key(name: str) -> None:
    assert key_of(key_of(name)) == key_of(name)


@given(entries)
def test_an_entry_is_sound_once_it_is_there(entry: Entry) -> None:
    fields = (entry.name, entry.secrets, entry.disabled, entry.expires, entry.networks)
    assert Entry(*fields, entry.note, master=entry.master) == entry
    assert entry.account() == Account(*fields, entry.master)


@given(st.text(min_size=1))
def test_whatever_is_typed_is_a_name_or_is_refused(text: str) -> None:
    try:
        name = prepare_name(text)
    except MalformedEntry:
        return
    assert name.isprintable()


def test_a_name_with_a_compatible_spelling_is_the_same_name() -> None:
    assert Entry("\u00aa\uff21").name == "aA"
    assert Entry("I\u00adX").name == "IX"


def test_a_secret_gets_its_scheme_in_front() -> None:
    assert Entry("alice", ("$2y$05$" + "a" * 53,)).secrets == ("{BLF-CRYPT}$2y$05$" + "a" * 53,)
    assert Entry("alice", ("x",), default_scheme="PLAIN").secrets == ("{PLAIN}x",)
    assert Entry("alice", ("{cleartext}x",)).secrets == ("{PLAIN}x",)


def test_a_secret_is_neither_in_the_representation_nor_in_the_refusal() -> None:
    assert "hunter2" not in repr(Entry("alice", ("{PLAIN}hunter2",)))
    for form in ("hunter2", "{PLAIN}hunter2\0", "{CRYPT}hunter2", "{PLAIN}hunter2\ud800"):
        with pytest.raises(MalformedEntry) as caught:
            Entry("alice", (form,))
        assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("expires", [math.nan, math.inf, -math.inf, 10**400])
def test_an_account_does_not_expire_at_no_time(expires: float) -> None:
    with pytest.raises(MalformedEntry, match="expires: expected a moment in time"):
        Entry("alice", expires=expires)


@pytest.mark.parametrize("note", ["two\nlines", "a\0b", "\ud800"])
def test_a_note_is_one_line_of_text(note: str) -> None:
    with pytest.raises(MalformedEntry, match="note: expected"):
        Entry("alice", note=note)


@given(moments)
def test_a_moment_is_read_as_it_was_written(seconds: float) -> None:
    assert parse_moment(write_moment(seconds)) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2027-01-31", 1801353600.0),
        ("20270131", 1801353600.0),
        ("2027-01-31T12:00:00Z", 1801396800.0),
        ("2027-01-31 13:00:00+01:00", 1801396800.0),
        ("1801396800", 1801396800.0),
        ("0.5", 0.5),
    ],
)
def test_moments_are_dates_or_numbers(text: str, seconds: float) -> None:
    assert parse_moment(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "2027-02-30", "nan", "1e999"])
def test_what_is_no_moment_is_refused_and_not_quoted(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected a (date|moment)") as caught:
        parse_moment(text)
    assert text == "" or text not in str(caught.value)


def test_networks_may_stand_between_commas_or_blanks_and_need_no_exact_prefix() -> None:
    networks = parse_networks(" 192.0.2.7/24, 2001:db8::1\t10.0.0.1 ")
    assert write_networks(networks) == "192.0.2.0/24 2001:db8::1/128 10.0.0.1/32"
    assert parse_networks(write_networks(networks)) == networks
    assert parse_networks("") == ()


@pytest.mark.parametrize("text", [" ", ",", "localhost", "10.0.0.0/33", "10.0.0", "::/200", "1.2.3.4 -"])
def test_what_is_no_network_is_refused_and_not_quoted(text: str) -> None:
    with pytest.raises(ValueError, match="expected networks") as caught:
        parse_networks(text)
    assert len(text) == 1 or text not in str(caught.value)


def test_a_name_that_a_login_could_not_bring_is_refused_for_the_same_reason() -> None:
    for name in ("", "a\0", "\u0627a", "x" * 1025):
        with pytest.raises(MalformedMessage) as login:
            prepare_username(name.encode())
        with pytest.raises(MalformedEntry) as enrolment:
            prepare_name(name)
        assert str(enrolment.value) == str(login.value)
