"""Cyrus SASL's sasldb2, as the programs that dump it print it."""

import io
from base64 import b64encode
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up import ARGON2

from ninsho.stores import hashing
from ninsho.stores.entries import Entry, MalformedList
from ninsho.stores.interchange import sasldb2
from ninsho.stores.interchange.dump import printed, records
from ninsho.stores.names import MalformedEntry

HEADER = "VERSION=3\nformat=print\ntype=hash\nh_nelem=2\ndb_pagesize=4096\nHEADER=END\n"
SCRAM = hashing.make("hunter2", "SCRAM-SHA-1")


def dump(*items: str) -> str:
    return HEADER + "".join(f" {item}\n" for item in items) + "DATA=END\n"


def gdbm_dump(*items: bytes) -> str:
    data = "".join(f"#:len={len(item)}\n{b64encode(item).decode()}\n" for item in items)
    return f"# GDBM dump file created by …\n#:version=1.1\n#:format=standard\n# End of header\n{data}#:count=1\n# End of data\n"


def read(text: str, realm: str | None = None) -> list[Entry]:
    return list(sasldb2.read(io.StringIO(text, newline=""), realm=realm))


def problems(text: str, realm: str | None = None) -> list[tuple[int, str]]:
    with pytest.raises(MalformedList) as caught:
        read(text, realm)
    return list(caught.value.problems)


def written(*accounts: Entry, realm: str | None = None) -> str:
    stream = io.StringIO(newline="")
    sasldb2.write(accounts, stream, realm=realm)
    return stream.getvalue()


def refused(*accounts: Entry, realm: str | None = None) -> list[str]:
    with pytest.raises(MalformedEntry) as caught:
        written(*accounts, realm=realm)
    return str(caught.value).split("\n")


def test_what_db_dump_p_prints() -> None:
    # The value of cmusaslsecretOTP is what saslpasswd2 wrote for the password otppass123.
    text = dump(
        r"alice\00example.org\00userPassword",
        r"hunter2 \c3\bc\\",
        r"erin\00r\00cmusaslsecretOTP",
        r"md5\090499\09vm4750\099128b76ec35f65bd\0900000000000000000000",
        r"te\\st\00example.org\00userPassword",
        "p",
        r"erin\00r\00userPassword",
        "otppass123",
    )
    assert read(text) == [
        Entry("alice@example.org", ("{PLAIN}hunter2 ü\\",)),
        Entry("te\\st@example.org", ("{PLAIN}p",)),
        Entry("erin@r", ("{PLAIN}otppass123",)),
    ]


def test_what_db_dump_and_mdb_dump_print() -> None:
    header = "VERSION=3\nformat=bytevalue\ntype=btree\nmapsize=1048576\nmaxreaders=126\nHEADER=END\n"
    key = b"alice\0example.org\0userPassword"
    text = f"{header} {key.hex()}\n 705cc3bc\nDATA=END\n"
    assert read(text) == read(text.replace("\n", "\r\n")) == [Entry("alice@example.org", ("{PLAIN}p\\ü",))]


def test_what_gdbm_dump_prints() -> None:
    text = gdbm_dump(b"alice\0example.org\0userPassword", "hunter2 ü\\".encode() * 30)
    assert read(text) == [Entry("alice@example.org", ("{PLAIN}" + "hunter2 ü\\" * 30,))]
    wrapped = "\n".join(line[i : i + 76] for line in text.splitlines() for i in range(0, len(line), 76))
    assert read(f"{wrapped}\n") == read(text)


@pytest.mark.parametrize(
    ("user", "realm", "ours", "name"),
    [
        ("alice", "example.org", None, "alice@example.org"),
        ("alice", "Example.org", "example.ORG", "alice"),
        ("alice", "example.org", "example.net", "alice@example.org"),
        ("alice", "", None, "alice"),
        ("alice@example.net", "mail.example.org", None, "alice@example.net"),
        ("alice@example.net", "mail.example.org", "mail.example.org", "alice@example.net"),
    ],
)
def test_a_user_is_called_by_name_and_realm_but_for_those_of_ours(
    user: str, realm: str, ours: str | None, name: str
) -> None:
    assert read(dump(rf"{user}\00{realm}\00userPassword", "p"), ours) == [Entry(name, ("{PLAIN}p",))]


@pytest.mark.parametrize(
    ("items", "line", "problem"),
    [
        ((r"a\00b\00cmusaslsecretOTP", "hunter2", r"a\00b\00authPassword", "hunter2"), 7,
         "'a@b': expected a userPassword, got only authPassword, cmusaslsecretOTP, of which no password can be made"),
        ((r"a\00b\00cmusaslsecretDIGEST-MD5", "hunter2"), 7,
         "'a@b': expected a userPassword, got only cmusaslsecretDIGEST-MD5, of which"),
        ((r"a\00b\00hunter2", "p"), 7, "'a@b': expected a userPassword, got none"),
        ((r"a\00b\00userPassword", ""), 7, "'a@b': expected a userPassword, got none"),
        ((r"a\00b\00cmusaslsecretOTP", "x", r"a\00b\00userPassword", r"hunter2\ff"), 9, "password: expected UTF-8"),
        ((r"a\00b\00userPassword", r"hunter2\00"), 7, "password: expected no NUL"),
        ((r"a\00b\00userPassword", "hunter2", r"a\00b\00userPassword", "p"), 9, "expected each property of a user once"),
        ((r"a\ff\00b\00userPassword", "hunter2"), 7, "user name: expected UTF-8"),
        ((r"a\00userPassword", "hunter2"), 7, "expected a key of user, realm and property, parted by NULs"),
        ((r"a\00b\00c\00userPassword", "hunter2"), 7, "expected a key of user, realm and property, parted by NULs"),
        (("hunter2", "hunter2"), 7, "expected a key of user, realm and property, parted by NULs"),
        ((r"\00b\00userPassword", "hunter2"), 7, "expected a key of user, realm and property, parted by NULs"),
        ((r"a\00b\00userPassword", "hunter2", r"A\00B\00userPassword", "p"), 9, "expected each user once, got 'A@B' again, as in line 7"),
    ],
)  # fmt: skip
def test_a_user_that_cannot_be_taken_is_told_without_the_secret(
    items: tuple[str, ...], line: int, problem: str
) -> None:
    ((number, told),) = problems(dump(*items))
    assert (number, told[: len(problem)]) == (line, problem)
    assert "hunter2" not in told


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("", 1, "expected what db_dump or gdbm_dump prints, which begins with VERSION=3 or with #"),
        ("\0\0\0\0a\x15\6\0hunter2", 1, "expected what db_dump or gdbm_dump prints"),
        ("VERSION=3\nformat=hunter2\nHEADER=END\n", 3, "expected format=print or format=bytevalue"),
        ("VERSION=3\nformat=print\nmapsize=1\nHEADER=END\n", 4, "expected mdb_dump without -p, which alone can"),
        (HEADER, 6, "expected DATA=END, got the end: the dump is not whole"),
        (f"{HEADER} hunter2\n", 7, "expected DATA=END, got the end: the dump is not whole"),
        (dump("hunter2"), 7, "expected a value for each key, got none for the last one"),
        (dump("\\hunter2"), 7, "expected a blank and then text, in which a backslash"),
        (f"{HEADER}hunter2\n", 7, "expected a blank and then text, in which a backslash"),
        ("VERSION=3\nHEADER=END\n hunter2\n", 3, "expected a blank and then hexadecimal digits"),
        ("# …\n#:len=5\nhunter2\n#:count=1\n", 2, "expected base64"),
        ("# …\n#:len=5\naHVudGVyMg==\n#:count=1\n", 2, "expected the length of what follows, 7, got another"),
        ("# …\n#:len=7\naHVudGVyMg==\n#:count=1\n", 2, "expected a value for each key"),
        ("# …\n#:len=7\naHVudGVyMg==\n", 2, "expected #:count= behind this, got the end: the dump is not whole"),
        ("# …\naHVudGVyMg==\n#:count=1\n", 1, "expected the length of what follows"),
        ("# …\n", 1, "expected #:count= behind this"),
    ],
)
def test_what_is_no_dump_or_not_whole_is_told_without_the_secret(text: str, line: int, problem: str) -> None:
    ((number, told),) = problems(text)
    assert (number, told[: len(problem)]) == (line, problem)
    assert "hunter2" not in told
    assert "aHVudGVyMg" not in told


@given(st.lists(st.tuples(st.binary(), st.binary()), max_size=5))
def test_octets_are_printed_so_that_they_are_read_as_they_were(pairs: list[tuple[bytes, bytes]]) -> None:
    text = HEADER + "".join(printed(key) + printed(value) for key, value in pairs) + "DATA=END\n"
    assert text.isascii()
    assert [(key, value) for _, key, value in records(io.StringIO(text, newline=""))] == pairs


@given(st.lists(st.text(st.sampled_from("ab\\0f@é "), max_size=8), max_size=6), st.sampled_from(["print", "bytevalue"]))
def test_any_dump_is_a_list_or_is_refused(items: list[str], form: str) -> None:
    text = dump(*(item.replace("b", r"\00userPassword") for item in items)).replace("=print", f"={form}")
    with suppress(MalformedList):
        assert len(read(text)) <= len(items) / 2


def test_what_is_written_is_what_db_load_takes() -> None:
    text = written(
        Entry("alice@example.org", ("{PLAIN}hunter2 ü\\",)), Entry("bob", ("{PLAIN}p",)), realm="example.net"
    )
    assert text == (
        "VERSION=3\nformat=print\ntype=hash\nHEADER=END\n"
        " alice\\00example.org\\00userPassword\n hunter2 \\c3\\bc\\5c\n"
        " bob\\00example.net\\00userPassword\n p\n"
        "DATA=END\n"
    )
    assert [entry.name for entry in read(text, "example.net")] == ["alice@example.org", "bob"]


def test_forms_that_are_made_from_the_password_need_not_be_said() -> None:
    plain, scram, digest = "{PLAIN}hunter2", SCRAM, hashing.make("hunter2", "DIGEST-MD5", "a@b")
    assert read(written(Entry("a@b", (scram, plain, digest)))) == [Entry("a@b", (plain,))]
    assert read(written(Entry("a@b", ("{PLAIN.hex}68756e74657232",)))) == [Entry("a@b", (plain,))]
    assert len(refused(Entry("a@b", (scram, "{PLAIN}another")))) == 1


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (Entry("a@b", (ARGON2,)), "expected {PLAIN}, as sasldb2 holds the password itself, got {ARGON2ID}"),
        (Entry("a@b"), "expected {PLAIN}, as sasldb2 holds the password itself, got none"),
        (Entry("a@b", ("{PLAIN}",)), "expected {PLAIN}, as sasldb2 holds the password itself, got {PLAIN}"),
        (Entry("a@b", ("{PLAIN.hex}ff",)), "expected {PLAIN}, as"),
        (Entry("a@b", ("{PLAIN}hunter2", "{SHA}!hunter2")), "expected {PLAIN}, as"),
        (Entry("a@b", ("{PLAIN}hunter2",), disabled=True), "sasldb2 has no place for disabled"),
        (Entry("a@b", ("{PLAIN}hunter2",), note="x"), "sasldb2 has no place for note"),
        (Entry("a", ("{PLAIN}hunter2",)), "expected a name with a realm, such as user@example.org, or else --realm"),
        (Entry("a@b@c", ("{PLAIN}hunter2",)), "expected one @ in the name, between user and realm"),
        (Entry("a@", ("{PLAIN}hunter2",)), "expected one @ in the name, between user and realm"),
    ],
)
def test_an_account_that_sasldb2_cannot_say_is_refused_without_the_secret(entry: Entry, problem: str) -> None:
    (told,) = refused(entry)
    assert told.startswith(f"{entry.name!r}: {problem}")
    assert "hunter2" not in told


def test_two_accounts_that_would_be_one_user_are_refused() -> None:
    accounts = Entry("alice@example.org", ("{PLAIN}a",)), Entry("alice", ("{PLAIN}b",))
    assert refused(*accounts, realm="example.org") == [
        "'alice': expected another name, as it would be the same user as 'alice@example.org'"
    ]
