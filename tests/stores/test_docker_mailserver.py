"""docker-mailserver's accounts file, read as it reads it, and written as it does."""

import io

import pytest
from made_up import ARGON2, BCRYPT

from ninsho.stores.entries import Entry, MalformedList
from ninsho.stores.interchange import docker_mailserver
from ninsho.stores.names import MalformedEntry
from ninsho.stores.networks import parse_networks

SHA = "{SHA512-CRYPT}$6$usesomesillystri$" + "a" * 86


def read(text: str) -> list[Entry]:
    return list(docker_mailserver.read(io.StringIO(text)))


def written(*accounts: Entry) -> str:
    stream = io.StringIO()
    docker_mailserver.write(accounts, stream)
    return stream.getvalue()


def test_the_file_as_docker_mailserver_reads_it() -> None:
    assert read(
        f"""\
# a comment
   # another, and nothing

alice@example.org|{SHA}
bob@example.org|{BCRYPT}|userdb_mail=mbox:~/mail userdb_quota_rule=*:bytes=5G
carol@example.org|{BCRYPT.partition("}")[2]}|allow_nets=192.0.2.7/24,::1 nologin\r
dave@example.org|
erin@example.org|!{SHA}|
"""
    ) == [
        Entry("alice@example.org", (SHA,)),
        Entry("bob@example.org", (BCRYPT,)),
        Entry("carol@example.org", (BCRYPT,), True, networks=parse_networks("192.0.2.0/24 ::1")),
        Entry("dave@example.org"),
        Entry("erin@example.org"),
    ]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("alice@example.org", "expected user@domain|password, got no |"),
        ("alice@example.org:{PLAIN}hunter2", "expected user@domain|password, got no |"),
        ("alice@example.org|{PLAIN}a:hunter2", "expected no colon in name and password"),
        ("alice:hunter2|{PLAIN}a", "expected no colon in name and password"),
        ("|{PLAIN}hunter2", "user name: empty"),
        ("alice@example.org|hunter2", "password: {SHA512-CRYPT}: expected a form such as $6$…"),
        ("alice@example.org|{PLAIN}a|hunter2", "extra fields: expected allow_nets=, nologin or userdb_…, got one that"),
        ("alice@example.org|{PLAIN}a|proxy host=hunter2", "extra fields: expected allow_nets=, nologin or userdb_…, got proxy"),
        ("BOB@example.org|{PLAIN}a", "expected each user once, got 'BOB@example.org' again, as in line 1"),
    ],
)  # fmt: skip
def test_a_bad_line_is_told_without_the_secret(line: str, problem: str) -> None:
    with pytest.raises(MalformedList) as caught:
        read(f"bob@example.org|{{PLAIN}}x\n{line}\n")
    ((number, told),) = caught.value.problems
    assert (number, told[: len(problem)]) == (2, problem)
    assert "hunter2" not in told


def test_names_are_written_in_small_letters_as_dovecot_looks_them_up() -> None:
    networks = parse_networks("192.0.2.0/24 ::1")
    accounts = Entry("Alice@Example.org", (SHA,)), Entry("bob@example.org", (BCRYPT,), True, networks=networks)
    assert written(*accounts, Entry("carol@example.org")) == (
        f"alice@example.org|{SHA}\nbob@example.org|{BCRYPT}|nologin allow_nets=192.0.2.0/24,::1/128\ncarol@example.org|\n"
    )


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (Entry("alice"), "expected an address, as docker-mailserver's users have one"),
        (Entry("a|b@example.org"), "expected no : and no | and no line feed in any field"),
        (Entry("a@example.org", ("{PLAIN}a|b",)), "expected no : and no | and no line feed in any field"),
        (Entry("a@example.org", ("{PLAIN}a:b",)), "expected no : and no | and no line feed in any field"),
        (Entry("#a@example.org"), "expected a name without # in front"),
        (Entry("a@example.org", (ARGON2, BCRYPT)), "docker-mailserver holds one form of the password, got {ARGON2ID} {BLF-CRYPT}"),
        (Entry("a@example.org", note="x"), "docker-mailserver has no place for note"),
        (Entry("a@example.org", expires=1.0), "docker-mailserver has no place for expires"),
        (Entry("a@example.org", master=True), "docker-mailserver has no place for master"),
    ],
)  # fmt: skip
def test_an_account_that_no_line_can_say_is_refused_not_cut(entry: Entry, problem: str) -> None:
    with pytest.raises(MalformedEntry) as caught:
        written(entry)
    assert str(caught.value).startswith(f"{entry.name!r}: {problem}")
