"""What a server offers, read out of its reply to EHLO; the numbers are those of the list of pitfalls."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ninsho.wire.ehlo import Capabilities
from ninsho.wire.smtp import Replies, Reply

keywords = st.from_regex(r"[A-Z0-9][A-Z0-9-]{0,12}", fullmatch=True).filter(lambda word: word not in ("AUTH", "X-EXPS"))
parameters = st.lists(st.from_regex(r"[!-<>-~]{1,10}", fullmatch=True), max_size=3).map(tuple)
offers = st.dictionaries(keywords, parameters, max_size=6)
spaces = st.sampled_from([b" ", b"  ", b"\t"])


def read(*lines: str | bytes, without: tuple[str, ...] = ()) -> Capabilities:
    octets = tuple(line.encode() if isinstance(line, str) else line for line in lines)
    return Capabilities.read(Reply(250, (b"mail.example.com hello", *octets)), without=without)


def written(offer: dict[str, tuple[str, ...]], space: bytes) -> bytes:
    """An offer as a server sends it."""
    lines = [b"mail.example.com", *(space.join(map(str.encode, (name, *words))) for name, words in offer.items())]
    return b"".join(b"250-%b\r\n" % line for line in lines[:-1]) + b"250 %b\r\n" % lines[-1]


@given(offers, spaces, st.booleans(), st.integers(1, 9))
def test_what_is_written_can_be_read_23(offer, space, small, size):
    octets = written(offer, space)
    octets = octets.lower() if small else octets
    reader = Replies()
    for start in range(0, len(octets), size):
        reader.feed(octets[start : start + size])
    found = Capabilities.read(reader.next())
    assert found.name == "mail.example.com"
    words = {name: tuple(word.lower() for word in some) if small else some for name, some in offer.items()}
    assert found.extensions == words
    assert all(name in found for name in offer)


@given(st.lists(st.binary(max_size=30), min_size=1, max_size=6).map(tuple))
def test_whatever_a_server_says_can_be_read_23(lines):
    found = Capabilities.read(Reply(250, lines))
    assert "\x1b" not in found.name
    assert isinstance(found.mechanisms, tuple)
    assert found.size_limit is None or found.size_limit > 0


@pytest.mark.parametrize(
    ("lines", "mechanisms"),
    [
        (["AUTH PLAIN LOGIN"], ("PLAIN", "LOGIN")),
        (["auth plain  login "], ("PLAIN", "LOGIN")),
        (["  AUTH PLAIN"], ("PLAIN",)),
        (["AUTH=PLAIN LOGIN"], ("PLAIN", "LOGIN")),
        (["AUTH= PLAIN"], ("PLAIN",)),
        (["AUTH=", "AUTH"], ()),
        (["AUTH PLAIN", "AUTH=LOGIN PLAIN"], ("PLAIN", "LOGIN")),
        (["AUTH LOGIN", "X-EXPS GSSAPI NTLM"], ("LOGIN", "GSSAPI", "NTLM")),
        (["X-EXPS=LOGIN"], ("LOGIN",)),
        (["AUTH"], ()),
        (["PIPELINING"], ()),
    ],
)
def test_each_form_of_an_auth_line_23(lines, mechanisms):
    assert read(*lines).mechanisms == mechanisms


def test_an_empty_line_is_none_23():
    assert set(read("", "  ", "PIPELINING").extensions) == {"PIPELINING"}


@pytest.mark.parametrize(
    ("line", "limit"),
    [
        ("SIZE 1000", 1000),
        ("SIZE", None),
        ("SIZE 0", None),
        ("SIZE=1000", 1000),
        ("SIZE x", None),
        ("SIZE -1", None),
        ("SIZE \u0661", None),
        ("PIPELINING", None),
    ],
)
def test_a_limit_of_size_9(line, limit):
    assert read(line).size_limit == limit


def test_a_size_of_more_digits_than_python_takes_9():
    assert read("SIZE " + "9" * 5000).size_limit is None


@pytest.mark.parametrize(
    ("line", "limit"),
    [
        ("LIMITS RCPTMAX=50 MAILMAX=10", 50),
        ("LIMITS MAILMAX=10 rcptmax=50", 50),
        ("LIMITS RCPTMAX", None),
        ("LIMITS RCPTMAX=", None),
        ("LIMITS RCPTMAX=0", None),
        ("LIMITS RCPTMAX=many", None),
        ("LIMITS", None),
        ("RCPTMAX=50", None),
        ("LIMITS RCPTMAX=" + "9" * 5000, None),
    ],
)
def test_the_limits_that_are_told_60(line, limit):
    assert read(line).limit("RCPTMAX") == limit


def test_capabilities_can_be_left_out_27():
    found = read("PIPELINING", "chunking", "AUTH PLAIN", without=("CHUNKING", "AUTH"))
    assert set(found.extensions) == {"PIPELINING"}
    assert found.mechanisms == ()


def test_nothing_is_offered_before_anything_is_said_24():
    found = Capabilities()
    assert "STARTTLS" not in found
    assert found.mechanisms == ()
    assert found.parameters("SIZE") == ()


def test_the_name_of_a_server_can_be_shown_85():
    assert Capabilities.read(Reply(250, (b"\x1b[2Jmail hello",))).name == "\\x1b[2Jmail"
