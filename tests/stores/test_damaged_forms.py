"""Damaged stored forms are malformed, or match nothing: whatever is done to a form, no other password gets in."""

import json
from base64 import b64encode
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ninsho.errors import MalformedSecret, StoreUnavailable
from ninsho.sasl.secrets import CramKey, DigestKey, Password, ScramKeys
from ninsho.stores import hashing
from ninsho.stores.schemes.scheme import Encoding
from ninsho.stores.schemes.table import SCHEMES

VECTORS = Path(__file__).parents[1] / "vectors"
WEAK = frozenset(scheme.name for scheme in hashing.weak_schemes())

# Valid and cheap forms of the password "test", of every scheme.
FORMS = {
    vector["stored"]: vector["password"]
    for name in ("password_schemes.json", "foreign_forms.json")
    for vector in json.loads((VECTORS / name).read_text())["vectors"]
    if "argon2i" not in vector["stored"] and "$1000000$" not in vector["stored"] and vector["password"] == "test"
} | dict.fromkeys(
    (
        "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$pqoeUKnzRyYFnMZG0mLWGQ",
        "$argon2i$v=19$m=8,t=1,p=1$c29tZXNhbHQ$tlXcttb4A79wHCfDP8iBEg",
        "{SCRAM-SHA-512}1,c2FsdA==,uAYXYF9Gi3kn3WFPmM85S7jLwOr4sl90nJ9eBFrv6Wrds7zJk/hiH0VBAdbjaNflHehiaNABG62wSykp5PhoOA==,q4hIYyY33eUNV5HIQjFGgyVqcuZo6PYx4LyqoYJGZuDhsyZGIwMVPqw1YuJAerpjkq/qCcTIJdpjIFB/t8DA+Q==",
        "{SCRAM-SHA3-512}1,c2FsdA==,6Iz4erXqYHz1pF75Zv9bD13ETQ5GX3nvkN6cCOtE2+fY14ckUVMSQ1PZNPLWE8uXfBfGvc7oXLgoThUOrJ5Ilw==,Le0rRish1jvu7e7abDAYYb7BAwaM1f2ZQzksU4WfLI/qLwztP2cjXxFrod8h9pwaZsyqFVzZYFotoJdGe4mu+A==",
        "{PLAIN-TRUNC}5-test",
        "{MD5}098f6bcd4621d373cade4e832627b4f6",
    ),
    "test",
)
NOISE = ["", "$", ",", "=", ":", "{", "}", "*", "!", "/", "+", ".", "-", " ", "\0", "\n", "é", "\ud800", "0", "1", "z"]
KINDS = (Password, CramKey, ScramKeys, DigestKey)


def test_there_is_a_form_of_every_scheme() -> None:
    assert {hashing.scheme_of(stored) for stored in FORMS} >= SCHEMES.keys()


@pytest.mark.parametrize("stored", FORMS, ids=lambda stored: stored[:24])
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_a_damaged_form_is_malformed_or_no_other_passwords(stored: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(stored)))
    span = data.draw(st.sampled_from([0, 1, 1, 1, 2, len(stored)]))
    damaged = stored[:place] + data.draw(st.sampled_from(NOISE)) + stored[place + span :]
    answers, errors = [], []
    for question in (
        lambda: answers.append(hashing.verify(damaged, "correct horse", "tim", permitted=WEAK)),
        lambda: hashing.best((damaged, damaged), WEAK),
        lambda: hashing.normalise(damaged, "CRYPT"),
        lambda: hashing.needs_rehash(damaged, "SSHA"),
        lambda: hashing.secret_in(damaged, KINDS),
    ):
        try:
            question()
        except (MalformedSecret, StoreUnavailable) as error:
            errors.append(str(error))
    assert answers in ([], [False])
    # Nothing but names of schemes, numbers and our own words.
    assert not [error for error in errors if stored[-12:] in error]


@pytest.mark.parametrize("stored", FORMS, ids=lambda stored: stored[:24])
def test_a_form_that_was_cut_matches_not_even_its_own_password(stored: str) -> None:
    if hashing.scheme_of(stored) in {"PLAIN", "PLAIN-TRUNC"}:
        # What is left of a password is one as well.
        return
    for cut in (stored[:-1], stored[:-3], stored[: len(stored) // 2]):
        try:
            assert not hashing.verify(cut, "test", "testuser1", permitted=WEAK)
        except MalformedSecret:
            continue


@pytest.mark.parametrize("stored", FORMS, ids=lambda stored: stored[:24])
def test_where_the_form_itself_is_given_as_the_password_nobody_gets_in(stored: str) -> None:
    if not stored.startswith("{"):
        assert not hashing.verify(hashing.normalise(stored, "PLAIN"), stored, permitted=WEAK)
    text = stored.partition("}")[2]
    if hashing.scheme_of(stored) != "PLAIN":
        assert not hashing.verify(stored, text or stored, "testuser1", permitted=WEAK)


@pytest.mark.parametrize("stored", FORMS, ids=lambda stored: stored[:24])
def test_each_form_itself_is_good_in_every_encoding(stored: str) -> None:
    assert hashing.verify(stored, "test", "testuser1", permitted=WEAK)
    scheme = SCHEMES[hashing.scheme_of(stored)]
    label, _, text = hashing.normalise(stored).partition("}")
    if scheme.encoding is Encoding.TEXT and "." not in label:
        for suffix, encode in (("hex", bytes.hex), ("b64", lambda form: b64encode(form).decode())):
            encoded = f"{{{scheme.name}.{suffix}}}{encode(text.encode())}"
            assert hashing.scheme_of(encoded) == scheme.name
            assert hashing.verify(encoded, "test", "testuser1", permitted=WEAK)
