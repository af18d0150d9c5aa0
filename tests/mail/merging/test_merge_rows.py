import sqlite3
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest
from sqlalchemy import create_engine, text

from ninsho.mail.merging.csv_rows import open_csv
from ninsho.mail.merging.merge import merge
from ninsho.mail.merging.rows import Attributes, address_template, columns
from ninsho.mail.unsendable import Unsendable


@dataclass(frozen=True, slots=True)
class Member:
    name: str
    email: str


class Shop:
    def __init__(self):
        self.email = "shop@example.jp"
        self._secret = "x"

    @property
    def name(self):
        return "店"

    def close(self):
        raise AssertionError


class Pair(NamedTuple):
    name: str
    email: str


EXPECTED = {"name": "山田", "email": "taro@example.jp"}


def sql_row():
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        row = connection.execute(text("SELECT '山田' AS name, 'taro@example.jp' AS email")).one()
    engine.dispose()
    return row


def row_of_the_library():
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    row = connection.execute("SELECT '山田' AS name, 'taro@example.jp' AS email").fetchone()
    connection.close()
    return row


@pytest.mark.parametrize(
    "row",
    [EXPECTED, Member("山田", "taro@example.jp"), Pair("山田", "taro@example.jp"), SimpleNamespace(**EXPECTED)],
    ids=lambda row: type(row).__name__,
)
def test_rows_of_many_sorts_have_columns(row):
    assert dict(columns(row)) == EXPECTED


@pytest.mark.parametrize("make", [sql_row, row_of_the_library])
def test_rows_of_databases_have_columns(make):
    assert dict(columns(make())) == EXPECTED


def test_an_address_is_a_row():
    assert columns("taro@example.jp") == {"email": "taro@example.jp"}


@pytest.mark.parametrize("row", [("a", "b"), ["a"], b"x", 7, None, Member])
def test_what_has_no_names_is_no_row(row):
    with pytest.raises(TypeError, match="expected a row with named columns, got "):
        columns(row)


def test_an_object_shows_its_public_attributes_and_no_methods():
    found = columns(Shop())
    assert isinstance(found, Attributes)
    assert dict(found) == {"email": "shop@example.jp", "name": "店"}
    assert found.get("close") is found.get("_secret") is found.get("__class__") is None


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (["id", "email", "to"], "{email}"),
        (["Name", "E", "Mail"], "{Name} <{Mail}>"),
        (["address", "name"], "{name} <{address}>"),
        (["id", "name"], None),
    ],
)
def test_whom_a_row_is_for_where_nobody_says_it(known, expected):
    assert address_template(dict.fromkeys(known)) == expected


# Files.


def written(tmp_path, octets):
    path = tmp_path / "recipients.csv"
    path.write_bytes(octets)
    return path


TEXT = 'name,email,note\r\n山田太郎,taro@example.jp,"一行\r\n二行"\r\n\r\n髙橋,taka@example.jp\r\n'


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "cp932", "euc_jp", "iso2022_jp"])
def test_a_file_is_read_in_the_charset_that_it_is_in(codec, tmp_path):
    text = TEXT if codec in ("utf-8", "utf-8-sig", "utf-16", "cp932") else TEXT.replace("髙", "高")
    rows = list(open_csv(written(tmp_path, text.encode(codec))))
    assert [row["name"] for row in rows] == ["山田太郎", text[text.index("橋") - 1 : text.index("橋") + 1]]
    assert rows[0]["note"].splitlines() == ["一行", "二行"]
    assert rows[1]["note"] is None
    assert [row.place for row in rows] == ["recipients.csv line 3", "recipients.csv line 5"]


def test_the_charset_shows_however_late(tmp_path):
    head = b"name,email\n" + b"taro,taro@example.jp\n" * 5000
    *_, last = open_csv(written(tmp_path, head + "山田,x@example.jp\n".encode("cp932")))
    assert last["name"] == "山田"


def test_a_charset_and_a_delimiter_may_be_told(tmp_path):
    [row] = open_csv(
        written(tmp_path, "name;email\nGrüße;x@example.jp\n".encode("latin-1")), charset="latin-1", delimiter=";"
    )
    assert row == {"name": "Grüße", "email": "x@example.jp"}


@pytest.mark.parametrize(
    ("octets", "told", "fault"),
    [
        (b"a,a\n1,2\n", None, "recipients.csv line 1: expected a name for each column, got 'a' twice"),
        (b"", None, "recipients.csv line 1: expected a name for each column, got none"),
        (b'a,b\n"1,2\n', None, "recipients.csv line 2: expected CSV, got what is none: "),
        (b"a,b\n\xff,2\n", "utf-8", "recipients.csv line 2: expected utf-8, got "),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_line(octets, told, fault, tmp_path):
    with pytest.raises(Unsendable) as caught:
        list(open_csv(written(tmp_path, octets), charset=told))
    assert str(caught.value).startswith(fault)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(Unsendable, match=r"none.csv: cannot be read: No such file or directory"):
        list(open_csv(tmp_path / "none.csv"))


@pytest.mark.parametrize(
    ("header", "told", "found"),
    [
        ("name\temail", ",", r"',', got tabs: delimiter='\t'"),
        ("name;email", ",", "',', got semicolons: delimiter=';'"),
        ("name,email", ";", "';', got commas: delimiter=','"),
    ],
)
def test_columns_that_are_parted_otherwise_name_the_delimiter(header, told, found, tmp_path):
    with pytest.raises(Unsendable) as caught:
        list(open_csv(written(tmp_path, f"{header}\nx{header[4]}y\n".encode()), delimiter=told))
    assert str(caught.value) == f"recipients.csv line 1: expected columns parted by {found}"


def test_one_column_is_a_list_of_addresses(tmp_path):
    assert [dict(row) for row in open_csv(written(tmp_path, b"email\na@example.jp\n"))] == [{"email": "a@example.jp"}]


def test_a_value_too_many_is_the_fault_of_its_row_alone(tmp_path):
    rows = list(open_csv(written(tmp_path, b"name,email\na,a@example.jp\nb,b@example.jp,x\nc,c@example.jp\n")))
    assert [row["name"] for row in rows] == ["a", "b", "c"]
    assert [row.fault and str(row.fault) for row in rows] == [
        None,
        "recipients.csv line 3: expected at most 2 values, got 3",
        None,
    ]


@pytest.mark.parametrize("name", ["メールアドレス", "メール", "E-Mail", "e_mail", "EMAIL", "アドレス", "宛先"])
def test_columns_with_addresses_have_many_names(name):
    assert address_template({"id": 1, name: "a@example.jp"}) == f"{{{name}}}"


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("good.csv", "a string: open_csv(path) reads them from a file, [address] is one row"),
        (Path("a.csv"), "a path: open_csv(path) reads them"),
        ({"email": "a@example.jp"}, "one row: [row] is a list of it"),
        (Pair("a", "a@example.jp"), "one row: [row] is a list of it"),
        (sql_row(), "one row: [row] is a list of it"),
        (StringIO("email\n"), "an open file: open_csv(path) reads them"),
        (b"a@example.jp", "bytes"),
        (None, "NoneType"),
    ],
)
def test_what_are_no_rows_is_said_at_once(given, found):
    with pytest.raises(TypeError) as caught:
        merge(given, from_="shop@example.jp", subject="x", text="x")
    assert str(caught.value) == f"recipients: expected rows, got {found}"


def test_a_query_is_gone_through_though_it_names_its_fields():
    class Query:
        _fields = ("email",)

        def __iter__(self):
            return iter([{"email": "a@example.jp"}])

    [submission] = merge(Query(), from_="shop@example.jp", subject="x", text="x")
    assert submission.recipients == ("a@example.jp",)
