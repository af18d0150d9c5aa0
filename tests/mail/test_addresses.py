import time
from email.utils import getaddresses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ninsho.mail.addresses import mailboxes, path, same, single
from ninsho.mail.unsendable import Unsendable


def read(value):
    return mailboxes(value, "To")


@pytest.mark.parametrize(
    ("value", "expected"),
    [  # pitfall 55
        ("", []),
        (" , ,", []),
        ("a@b", ["a@b"]),
        ('"x"<a@b>', ["a@b"]),
        ("a@b, c@d", ["a@b", "c@d"]),
        ("a@b; c@d", ["a@b", "c@d"]),
        ('"Doe, John" <a@b>', ["a@b"]),
        ('"a\\"b <x@y>" <a@b>', ["a@b"]),
        ("John Q. Public <a@b>", ["a@b"]),
        ("friends: a@b, C <c@d>; , e@f", ["a@b", "c@d", "e@f"]),
        ("nobody:;", []),
        ("a (x@y, \\) (z)) @ (n) b (c)", ["a@b"]),
        ("(just a comment)", []),
        ("a . b @ c . d", ["a.b@c.d"]),
        ("<@r,@s:a@b>", ["a@b"]),
        ('"a@evil"@good', ['"a@evil"@good']),
        ("=?utf-8?q?x=40evil=2C?= <a@b>", ["a@b"]),
        ("a..b.@docomo.ne.jp", ["a..b.@docomo.ne.jp"]),
        ("山田\u3000太郎 <a@b>", ["a@b"]),
        ("用户@例え.jp", ["用户@例え.jp"]),
        ("a@[IPv6:::1]", ["a@[IPv6:::1]"]),
        ("root", ["root"]),
    ],
)
def test_address_lists_are_read(value, expected):
    assert read(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        "a@b c@d",
        "John Smith",
        "a@b@c",
        "<a@b> <c@d>",
        "<a@b>c@d",
        "a@b <",
        ">",
        "<>",
        "x:y:a@b;",
        ":a@b;",
        "<a@b, c@d>",
        '"',
        '"\\"',
        "(",
        "((a)",
        ")",
        "[",
        "\\",
        "a@",
        "@a",
        "<@r>",
        '"a".b@c',
        "a\r\n@b",
        "a\0@b",
        "a\u200b@b",
        "a\u3000b@c",
        '"x\ud800"@y',
    ],
)
def test_what_is_not_certain_is_refused(value):
    with pytest.raises(Unsendable, match="To: expected addresses, got "):
        read(value)


@pytest.mark.parametrize(
    "value",
    [
        "(" * 200_000,
        "(" * 100_000 + ")" * 100_000,
        '"' * 200_001,
        '"' + "\\" * 200_001,
        "<" * 200_000,
        "a," * 100_000,
        "a:" * 100_000,
        "a " * 100_000,
        "." * 200_000 + "@",
        "@" * 200_000,
        "[" * 200_000,
        "[" + "a" * 200_000,
        "a" * 200_000,
        "<@a," * 50_000,
        "a@" + "b." * 100_000,
        "=?x" * 100_000,
    ],
)
def test_no_value_takes_more_time_than_its_length_deserves(value):  # pitfall 55
    begun = time.process_time()
    try:
        for address in read(value)[:3]:
            path(address)
    except Unsendable:
        pass
    assert time.process_time() - begun < 3


@given(st.text('ab@<>()[]",;:.\\ \r\n\0é\u3000=?'))
def test_what_is_read_reads_the_same_again_and_never_breaks_out_of_its_brackets(value):
    try:
        found = read(value)
        paths = [path(address) for address in found]
    except Unsendable:
        return
    for address, octets in zip(found, paths, strict=True):
        assert single(address, "To") == address
        assert single(f"X <{address}>", "To") == address
        assert not set(octets) & set(b"\r\n\0\x7f")
        assert octets.isascii() or not (address.rpartition("@")[0] or address).isascii()
        # What ends a path for a server stands in quotes only.
        assert b">" not in octets or octets.startswith(b'"')
    assert read(", ".join(found)) == found


atoms = st.text("abc019!#$%&'*+/=?^_`{|}~-", min_size=1, max_size=9)
quoted = st.lists(st.sampled_from([*" abc@<>(),;:.[]", '\\"', "\\\\", "\\a"])).map(lambda parts: f'"{"".join(parts)}"')
domains = st.lists(st.text("abc019-", min_size=1, max_size=9), min_size=1, max_size=3).map(".".join)
specs = st.builds("{}@{}".format, atoms | quoted, domains)
names = st.just("") | atoms | quoted


@given(st.lists(st.tuples(names, specs)))
def test_what_is_written_is_read(people):
    value = ", ".join(f"{name} <{spec}>" if name else spec for name, spec in people)
    assert read(value) == [spec for _, spec in people]
    # The standard library reads the same where nothing is quoted.
    if '"' not in value:
        assert [spec for _, spec in getaddresses([value]) if spec] == read(value)


def test_a_domain_has_no_case_and_a_local_part_may_have_one():
    assert same(b"A@B.example") == same(b"A@b.EXAMPLE") != same(b"a@b.example")
    assert same(b'"x@Y"@Z') == same(b'"x@Y"@z') != same(b'"x@y"@z')
    assert same(b'"x"@z') == same(rb'"\x"@Z') == same(b"x@z")
