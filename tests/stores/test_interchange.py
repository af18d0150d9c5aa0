"""Lists of accounts as text: what is written can be read, and what cannot be read is told with its line."""

import dataclasses
import io
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up import ARGON2, BCRYPT, entries, lists

from ninsho.stores import hashing
from ninsho.stores.entries import Entry, MalformedList
from ninsho.stores.interchange import htpasswd, passwd
from ninsho.stores.interchange.formats import FORMATS
from ninsho.stores.names import MalformedEntry
from ninsho.stores.networks import parse_networks

FORMAT_NAMES = sorted(FORMATS)
# What each is read back as that says everything about an account, though not in the very words.
ALIKE = {
    "docker-mailserver": lambda entry: dataclasses.replace(entry, name=entry.name.lower()),
    "sasldb2": lambda entry: dataclasses.replace(
        entry, secrets=tuple(form for form in entry.secrets if form.startswith("{PLAIN}"))[:1]
    ),
}
NETWORKS = parse_networks("192.0.2.0/24 2001:db8::/32")


def read(name: str, text: str) -> list[Entry]:
    return list(FORMATS[name].read(io.StringIO(text, newline="")))


def written(name: str, accounts: list[Entry]) -> str:
    stream = io.StringIO(newline="")
    FORMATS[name].write(accounts, stream)
    return stream.getvalue()


def refused(name: str, accounts: list[Entry]) -> list[str]:
    with pytest.raises(MalformedEntry) as caught:
        written(name, accounts)
    return str(caught.value).split("\n")


def problems(name: str, text: str) -> list[tuple[int, str]]:
    with pytest.raises(MalformedList) as caught:
        read(name, text)
    return list(caught.value.problems)


@pytest.mark.parametrize("name", FORMAT_NAMES)
@given(accounts=lists)
def test_what_is_written_is_read_as_it_was(name: str, accounts: list[Entry]) -> None:
    writable = []
    for entry in accounts:
        try:
            written(name, [entry])
        except MalformedEntry:
            continue
        writable.append(entry)
    alike = ALIKE.get(name, lambda entry: entry)
    assert list(map(alike, read(name, written(name, writable)))) == list(map(alike, writable))


@given(lists)
def test_json_says_everything(accounts: list[Entry]) -> None:
    assert read("json", written("json", accounts)) == accounts
    assert [item["name"] for item in json.loads(written("json", accounts))] == [entry.name for entry in accounts]


@given(entries)
def test_csv_says_everything_but_line_feeds_in_passwords(entry: Entry) -> None:
    if not any(set(secret) & set("\r\n") for secret in entry.secrets):
        assert read("csv", written("csv", [entry])) == [entry]


@pytest.mark.parametrize("name", FORMAT_NAMES)
@given(text=st.text(alphabet=st.sampled_from('ab:,"{}[]$#|@\n\r\t \\\0é') | st.characters(), max_size=60))
def test_any_text_is_a_list_or_is_refused(name: str, text: str) -> None:
    # Nothing else is raised, and what is read is sound.
    with suppress(MalformedList):
        for entry in read(name, text):
            assert Entry(entry.name, entry.secrets).account().secrets == entry.secrets


@pytest.mark.parametrize("name", FORMAT_NAMES)
def test_an_empty_list_is_written_and_read(name: str) -> None:
    assert read(name, written(name, [])) == []


def test_a_passwd_file_as_dovecot_reads_it() -> None:
    assert read(
        "passwd-file",
        f"""\
# a comment, and nothing

alice:{{PLAIN}}secret
Bob@Example.org:{BCRYPT}:1000:1000:Bob,,,:/home/bob:/bin/sh:allow_nets=192.0.2.7/24,::1 userdb_mail=maildir:~/Mail
carol:$2y$05$abcdefghijklmnopqrstuuJgQQvEDFNLZ9eHZ0h0kGTLzeJhlLMhG::::::nologin=n nodelay
dave:{{ARGON2ID}}{ARGON2.partition("}")[2]}:::
erin:x:0:0:root:/root:/bin/sh
frank:!$6$salt$hash
grace:*:::::
heidi:
ivan:{{CRYPT}}!!
judy:{{PLAIN}}!secret:::::::mbox:/var/mail/judy
""",
    ) == [
        Entry("alice", ("{PLAIN}secret",)),
        Entry("Bob@Example.org", (BCRYPT,), networks=parse_networks("192.0.2.0/24 ::1"), note="Bob,,,"),
        Entry("carol", (BCRYPT,), disabled=True),
        Entry("dave", (ARGON2,)),
        Entry("erin", note="root"),
        Entry("frank"),
        Entry("grace"),
        Entry("heidi"),
        Entry("ivan"),
        Entry("judy", ("{PLAIN}!secret",)),
    ]


def test_a_bare_password_is_of_the_default_scheme_and_may_then_begin_as_a_locked_one() -> None:
    lines = ["alice:secret", "bob:!secret", "carol:x"]
    assert [entry.secrets for entry in passwd.read(lines, default_scheme="PLAIN")] == [
        ("{PLAIN}secret",),
        ("{PLAIN}!secret",),
        ("{PLAIN}x",),
    ]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("alice", "expected user:password, got no colon"),
        (":{PLAIN}hunter2", "user name: empty"),
        ("a\tb:{PLAIN}hunter2", "user name: character 2 is prohibited (RFC 3454 table C.2.1, ASCII control characters)"),
        ("alice:hunter2", "password: {CRYPT}: expected a form such as $6$…, of a method that is known"),
        ("alice:{NEWEST}hunter2", "password: scheme NEWEST is not known"),
        ("alice:{PLAIN}x::::::allow_nets=hunter2", "allow_nets: expected networks such as 192.0.2.0/24 or 2001:db8::1"),
        ("alice:{PLAIN}x::::::allow_nets=", "allow_nets: expected a network, got none"),
        ("alice:{PLAIN}x::::::allow_nets=local,127.0.0.1", "allow_nets: expected networks such as"),
        ("alice:::::::nopassword", "extra fields: expected allow_nets=, nologin or userdb_…, got nopassword"),
        ("alice:{PLAIN}x::::::allow_real_nets=::1", "extra fields: expected allow_nets=, nologin or userdb_…, got allow_real_nets"),
        ("alice:{PLAIN}a:b:c:d:e:f:hunter2", "extra fields: expected allow_nets=, nologin or userdb_…, got one that is not known"),
        ("alice:{PLAIN}x::::::master=hunter2", "extra fields: expected master=y, got master with another value"),
        ("alice:{PLAIN}x::::::master", "extra fields: expected master=y, got master with another value"),
        ("alice:{PLAIN}x::::::hunter2=", "extra fields: expected allow_nets=, nologin or userdb_…, got one that is not known"),
    ],
)  # fmt: skip
def test_a_bad_line_of_a_passwd_file_is_told_without_the_secret(line: str, problem: str) -> None:
    ((number, text),) = problems("passwd-file", f"# users\nbob:{{PLAIN}}x\n{line}\n")
    assert number == 3
    assert text.startswith(problem)
    assert "hunter2" not in text


def test_all_bad_lines_are_told_and_the_good_ones_given_before() -> None:
    reading = FORMATS["passwd-file"].read(io.StringIO("alice\nbob:{PLAIN}x\nBOB:{PLAIN}y\ncarol\n"))
    assert next(reading) == Entry("bob", ("{PLAIN}x",))
    with pytest.raises(MalformedList) as caught:
        list(reading)
    assert str(caught.value).split("\n") == [
        "line 1: expected user:password, got no colon",
        "line 3: expected each user once, got 'BOB' again, as in line 2",
        "line 4: expected user:password, got no colon",
    ]


def test_a_file_that_is_something_else_is_not_told_line_by_line() -> None:
    assert len(problems("passwd-file", "words\n" * 100_000)) == 100


def test_a_byte_order_mark_and_other_line_ends_do_no_harm() -> None:
    for name, text in (
        ("passwd-file", "\ufeffalice:{PLAIN}x\r\n"),
        ("htpasswd", f"\ufeffalice:{BCRYPT}\r\n"),
        ("csv", "\ufeffname,secrets\r\nalice,{PLAIN}x\r\n"),
        ("json", '\ufeff[\r\n{"name": "alice"}\r\n]\r\n'),
    ):
        assert [entry.name for entry in read(name, text)] == ["alice"]


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (Entry("alice", (ARGON2, "{PLAIN}b")), "holds one form of the password, got {ARGON2ID} {PLAIN}; csv and json"),
        (Entry("alice", ("{PLAIN}a:b",)), "expected no : and no line feed in any field"),
        (Entry("alice", ("{PLAIN}a\nb",)), "expected no : and no line feed in any field"),
        (Entry("alice", expires=0.0), "has no place for expires, which this account has; csv and json do"),
        (Entry("a:b"), "expected no : and no line feed in any field"),
        (Entry("#alice"), "expected a name without # in front"),
        (Entry("alice", note="a:b"), "expected no : and no line feed in any field"),
    ],
)
def test_an_account_that_a_passwd_file_cannot_say_is_refused_not_cut(entry: Entry, problem: str) -> None:
    (told,) = refused("passwd-file", [entry])
    assert told.startswith(f"{entry.name!r}: ")
    assert problem in told


@pytest.mark.parametrize("name", ["passwd-file", "htpasswd", "docker-mailserver", "sasldb2"])
def test_all_accounts_that_a_format_cannot_say_are_named_at_once(name: str) -> None:
    accounts = [Entry(f"{number}@example.org", (BCRYPT, ARGON2)) for number in range(3)]
    assert [told.partition(":")[0] for told in refused(name, accounts)] == [f"'{n}@example.org'" for n in range(3)]
    assert len(refused(name, [Entry(f"{number}@example.org", expires=1.0) for number in range(200)])) == 100


def test_a_passwd_file_says_who_is_a_master() -> None:
    accounts = [Entry("alice", (BCRYPT,), master=True), Entry("bob", (BCRYPT,), disabled=True, master=True)]
    text = written("passwd-file", accounts)
    assert text == f"alice:{BCRYPT}::::::master=y\nbob:{BCRYPT}::::::nologin master=y\n"
    assert read("passwd-file", text) == accounts


@pytest.mark.parametrize("name", ["csv", "json"])
def test_all_forms_of_a_password_are_held_in_their_order(name: str) -> None:
    accounts = [Entry("alice", (ARGON2, BCRYPT, "{PLAIN}hunter2"), master=True), Entry("bob")]
    assert read(name, written(name, accounts)) == accounts


BROKEN = [
    "{ARGON2ID}$argon2id$v=19$m=65536,t=3$hunter2",
    "{BLF-CRYPT}$2y$05$hunter2",
    "{SHA512-CRYPT}$6$hunter2$hunter2",
    "{CRYPT}$y$hunter2",
    "{PBKDF2}$1$hunter2$",
    "{SSHA256}aHVudGVyMg==",
    "{SHA}hunter2!",
    "{CRAM-MD5}abcdef",
]


@pytest.mark.parametrize("stored", BROKEN)
@pytest.mark.parametrize("name", ["passwd-file", "docker-mailserver", "csv", "json"])
def test_a_broken_form_is_told_with_its_line_and_what_is_wrong_without_the_secret(name: str, stored: str) -> None:
    lines = {
        "passwd-file": f"# users\nalice:{stored}\n",
        "docker-mailserver": f"# users\nalice@example.org|{stored}\n",
        "csv": f'name,secrets\nalice,"{stored}"\n',
        "json": f'[\n{{"name": "alice", "secrets": ["{stored}"]}}\n]\n',
    }
    ((number, told),) = problems(name, lines[name])
    assert number == 2
    assert told.startswith(f"password: {stored.partition('}')[0]}}}: expected ")
    assert "hunter2" not in told


def test_a_broken_form_of_htpasswd_is_told() -> None:
    ((number, told),) = problems("htpasswd", "alice:$2y$05$hunter2\n")
    assert (number, told) == (1, "password: {BLF-CRYPT}: expected $2y$, two digits, $ and 53 characters")


def test_a_form_of_a_scheme_that_no_login_accepts_is_read_all_the_same() -> None:
    lines = "alice:$apr1$salt$abcdefghijklmnopqrstu/\nbob:{NTLM}8846F7EAEE8FB117AD06BDD830B7586C\n"
    assert [hashing.scheme_of(entry.secrets[0]) for entry in read("passwd-file", lines)] == ["APR1-MD5", "NTLM"]


def test_a_passwd_file_is_written_as_dovecot_reads_it() -> None:
    accounts = [
        Entry("alice", (BCRYPT,)),
        Entry("bob", ("{PLAIN}x",), True, None, NETWORKS, "Bob"),
        Entry("carol"),
    ]
    assert written("passwd-file", accounts) == (
        f"alice:{BCRYPT}\nbob:{{PLAIN}}x:::Bob:::nologin allow_nets=192.0.2.0/24,2001:db8::/32\ncarol:\n"
    )


def test_an_htpasswd_file() -> None:
    bcrypt, sha = BCRYPT.partition("}")[2], "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g="
    text = f"alice:{bcrypt}\nbob:{sha}\n# nobody\ncarol:$apr1$salt$abcdefghijklmnopqrstu/\n"
    accounts = read("htpasswd", text)
    assert [(entry.name, entry.secrets[0]) for entry in accounts] == [
        ("alice", BCRYPT),
        ("bob", sha),
        ("carol", "{APR1-MD5}$apr1$salt$abcdefghijklmnopqrstu/"),
    ]
    assert written("htpasswd", accounts[:2]) == "".join(text.splitlines(keepends=True)[:2])


@pytest.mark.parametrize(
    "entry",
    [
        Entry("alice"),
        Entry("alice", (BCRYPT, BCRYPT)),
        Entry("alice", (BCRYPT,), disabled=True),
        Entry("alice", (BCRYPT,), networks=NETWORKS),
        Entry("alice", (BCRYPT,), note="x"),
        Entry("alice", ("{PLAIN}hunter2",)),
        Entry("alice", ("{SHA.hex}5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8",)),
        Entry("alice", (BCRYPT,), master=True),
        Entry("a:b", (BCRYPT,)),
    ],
)
def test_an_account_that_htpasswd_cannot_say_is_refused_not_cut(entry: Entry) -> None:
    with pytest.raises(MalformedEntry) as caught:
        written("htpasswd", [entry])
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("line", ["alice", "alice:", ":" + BCRYPT, "alice:hunter2"])
def test_a_bad_line_of_an_htpasswd_file_is_told_without_the_secret(line: str) -> None:
    with pytest.raises(MalformedList) as caught:
        list(htpasswd.read([line]))
    assert "line 1: " in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_csv_needs_no_column_but_the_name() -> None:
    assert read("csv", "note,name\nher phone,alice\n\n,bob\n") == [Entry("alice", note="her phone"), Entry("bob")]


def test_csv_with_all_its_columns() -> None:
    text = f"""\
name,secrets,disabled,expires,networks,note,master
alice,"{ARGON2}
{BCRYPT}",true,2027-01-31T00:00:00Z,192.0.2.0/24 2001:db8::/32,"one, two",true
"""
    accounts = [Entry("alice", (ARGON2, BCRYPT), True, 1801353600.0, NETWORKS, "one, two", master=True)]
    assert read("csv", text) == accounts
    assert written("csv", accounts) == text


@pytest.mark.parametrize(
    ("text", "number", "problem"),
    [
        ("alice,{PLAIN}x\n", 1, "expected a header with name and any of secrets, disabled, expires, networks, note"),
        ("name,password\n", 1, "expected a header with name"),
        ("name,name\n", 1, "expected a header with name"),
        ("", 1, "expected a header with name"),
        ("name,secrets\nalice,{PLAIN}hunter2,x\n", 2, "expected 2 cells, got 3"),
        ("name,disabled\nalice,hunter2\n", 2, "disabled: expected true or false"),
        ("name,master\nalice,hunter2\n", 2, "master: expected true or false"),
        ("name,expires\nalice,hunter2\n", 2, "expires: expected a date"),
        ("name,networks\nalice,hunter2\n", 2, "networks: expected networks"),
        ("name,secrets\nalice,hunter2\n", 2, "password: expected {SCHEME} in front"),
        ('name\n"alice\n', 2, "expected CSV, got a quote out of place"),
        ('name\n"alice"hunter2\n', 2, "expected CSV, got a quote out of place"),
    ],
)
def test_a_bad_row_is_told_with_its_line_without_the_secret(text: str, number: int, problem: str) -> None:
    ((line, told),) = problems("csv", text)
    assert (line, told[: len(problem)]) == (number, problem)
    assert "hunter2" not in told


@pytest.mark.parametrize(
    ("text", "number", "problem"),
    [
        ("{}", 1, "expected [ of a list in JSON"),
        ("[", 1, "not JSON: Expecting value"),
        ('[{"name": "alice"}', 1, "expected , of a list in JSON"),
        ('[\n{"name": "alice"},\n{"name": hunter2}\n]', 3, "not JSON: Expecting value"),
        ('[\n\n{"name": "alice"},\n"hunter2"\n]', 4, "expected an object, got str"),
        ('[\n{"name": "alice",\n"password": "hunter2"}\n]', 2, "expected no names but name, secrets, disabled"),
        ('[{"secrets": ["hunter2"]}]', 1, "expected name and note as strings"),
        ('[{"name": "alice", "secrets": "hunter2"}]', 1, "expected name and note as strings"),
        ('[{"name": "alice", "secrets": [1]}]', 1, "expected name and note as strings"),
        ('[{"name": "alice", "disabled": 1}]', 1, "expected name and note as strings"),
        ('[{"name": "alice", "master": 1}]', 1, "expected name and note as strings"),
        ('[{"name": "alice", "expires": true}]', 1, "expected name and note as strings"),
        ('[{"name": "alice", "expires": ""}]', 1, "expires: expected a date"),
        ('[{"name": "alice", "networks": [""]}]', 1, "expected name and note as strings"),
        ('[{"name": "alice", "networks": [","]}]', 1, "networks: expected networks, got none"),
        ('[{"name": "alice", "networks": ["::1", "hunter2"]}]', 1, "networks: expected networks such as"),
        ('[{"name": "alice", "expires": NaN}]', 1, "expires: expected a moment in time"),
        ('[{"name": "alice", "expires": ' + "9" * 5000 + "}]", 1, "not JSON that can be read"),
        ("[" * 100_000, 1, "not JSON that can be read"),
        ('[{"name": "alice"}] hunter2', 1, "expected nothing behind the list"),
        ('[{"name": "alice"},]', 1, "not JSON"),
    ],
)
def test_a_bad_object_is_told_with_its_line_without_the_secret(text: str, number: int, problem: str) -> None:
    ((line, told),) = problems("json", text)
    assert (line, told[: len(problem)]) == (number, problem)
    assert "hunter2" not in told


def test_json_is_one_line_for_each_account_and_says_only_what_there_is_to_say() -> None:
    accounts = [Entry("alice", ("{PLAIN}x",), expires=0.5), Entry("bob", disabled=True, networks=NETWORKS)]
    assert written("json", accounts) == (
        '[\n{"name": "alice", "secrets": ["{PLAIN}x"], "expires": "1970-01-01T00:00:00.500000Z"},\n'
        '{"name": "bob", "disabled": true, "networks": ["192.0.2.0/24", "2001:db8::/32"]}\n]\n'
    )
