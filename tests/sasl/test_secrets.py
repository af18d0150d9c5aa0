"""What an account stores for challenge-response mechanisms."""

import hmac
import json
from hashlib import md5
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ninsho.errors import MalformedSecret
from ninsho.sasl import md5_state
from ninsho.sasl.secrets import CramKey, CramSecret, Password

Vector: TypeAlias = dict[str, Any]

VECTORS = Path(__file__).parents[1] / "vectors"
CRAM = json.loads((VECTORS / "cram_md5.json").read_text())["vectors"]
HMAC = json.loads((VECTORS / "primitives.json").read_text())["hmac_md5"]


@pytest.mark.parametrize("vector", CRAM, ids=lambda vector: vector["name"])
def test_password_and_key_answer_the_challenge_alike(vector: Vector) -> None:
    digest = bytes.fromhex(vector["response"].rpartition(" ")[2])
    challenge = vector["challenge"].encode()
    assert Password(vector["password"].encode()).cram_md5(challenge) == digest
    assert CramKey.parse(vector["context_hex"]).cram_md5(challenge) == digest
    assert CramKey.of(vector["password"].encode()).hex() == vector["context_hex"]


@pytest.mark.parametrize("vector", HMAC, ids=range(len(HMAC)))
def test_a_key_computes_the_hmac_of_rfc_2202(vector: Vector) -> None:
    key, data = bytes.fromhex(vector["key_hex"]), bytes.fromhex(vector["data_hex"])
    assert CramKey.of(key).cram_md5(data).hex() == vector["hmac_md5_hex"]


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_a_key_computes_what_the_password_does(password: bytes, challenge: bytes) -> None:
    assert CramKey.of(password).cram_md5(challenge) == hmac.digest(password, challenge, "md5")


@pytest.mark.parametrize("length", [0, 1, 55, 56, 63, 64, 65, 119, 120, 128, 1000])
def test_md5_pads_every_length(length: int) -> None:
    message = bytes(range(256)) * 4
    assert md5_state.finish(md5_state.INITIAL, message[:length], taken=0) == md5(message[:length]).digest()


def test_md5_goes_on_from_a_state_in_the_middle() -> None:
    message = bytes(range(200))
    state = md5_state.compress(md5_state.INITIAL, message[:64])
    assert md5_state.from_bytes(md5_state.to_bytes(state)) == state
    assert md5_state.finish(state, message[64:], taken=64) == md5(message).digest()


def test_a_key_is_read_back_as_it_was_written() -> None:
    key = CramKey.of(b"test")
    assert key.hex() == "e02d374fde0dc75a17a557039a3a5338c7743304777dccd376f332bee68d2cf6"
    assert CramKey.parse(key.hex()) == CramKey.parse(key.hex().upper()) == key


@pytest.mark.parametrize(
    ("digits", "finding"),
    [
        ("", r"64 hexadecimal digits\), got 0"),
        ("ab" * 31, r"64 hexadecimal digits\), got 31"),
        ("ab" * 33, r"64 hexadecimal digits\), got 33"),
        ("a" * 63, "expected hexadecimal digits"),
        ("g" * 64, "expected hexadecimal digits"),
        ("ab " * 32, "expected hexadecimal digits"),
        ("é" * 64, "expected hexadecimal digits"),
    ],
)
def test_a_broken_key_is_malformed_and_not_quoted(digits: str, finding: str) -> None:
    with pytest.raises(MalformedSecret, match=finding) as caught:
        CramKey.parse(digits)
    assert not digits or digits not in str(caught.value)


@pytest.mark.parametrize("secret", [Password(b"tanstaaftanstaaf"), CramKey.of(b"tanstaaftanstaaf")])
def test_a_secret_does_not_show_itself(secret: CramSecret) -> None:
    for shown in (repr(secret), str(secret), f"{secret}", f"{[secret]}"):
        assert shown.strip("[]") == f"{type(secret).__name__}()"


def test_a_secret_is_frozen() -> None:
    with pytest.raises(AttributeError):
        setattr(Password(b"x"), "text", b"y")  # noqa: B010 - a type checker refuses the plain assignment
    with pytest.raises(AttributeError):
        setattr(CramKey.of(b"x"), "outer", b"")  # noqa: B010 - as above
