"""Which of an account's stored forms a password is verified against."""

import pytest

from ninsho.errors import MalformedSecret
from ninsho.stores import hashing

ARGON = "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$vBb99oJ12p3WAdYlaMHz1A$jtFOtbo/sYV9OSlTxDo/nVNq3uArHd5GJSEx0ty85Cc"
MD5_CRYPT = "$1$GgvxyNz8$OjZhLh4P.gF1lxYEbLZ3e/"
SCRAM_SHA_1 = "{SCRAM-SHA-1}4096,GetyLXdBuHzf1FWf8SLz2Q==,NA/OqmF4hhrsrB9KR7po+dliTGM=,QBiURvQaE6H6qYTmeghDHLANBFQ="
DIGEST = "{DIGEST-MD5}77c1a8c437c9b08ba2f460fe5d58db5d"


@pytest.mark.parametrize(
    ("stored", "permitted", "chosen"),
    [
        ((ARGON, SCRAM_SHA_1), (), 0),
        # The order is the administrator's.
        ((SCRAM_SHA_1, ARGON), (), 0),
        (("{PLAIN}x", ARGON), (), 0),
        ((ARGON, "{PLAIN}x"), (), 0),
        # Not known, never accepted, broken, too dear, not permitted.
        (("{NONSENSE}x", ARGON), (), 1),
        (("{NTLM}x", ARGON), (), 1),
        (("{SHA256}x", ARGON), (), 1),
        (("{SCRAM-SHA-1}x", ARGON), (), 1),
        (("{CRAM-MD5}00", ARGON), (), 1),
        (("{CRYPT}$6$rounds=1000001$salt$" + 86 * "a", ARGON), (), 1),
        ((MD5_CRYPT, ARGON), (), 1),
        (("x", "{X}", "{PLAIN}\ud800", ARGON), (), 3),
        # Weak ones match others, too; that of a user name may be of another's.
        ((MD5_CRYPT, ARGON), ("MD5-CRYPT",), 1),
        ((DIGEST, ARGON), (), 1),
        ((DIGEST, "{NONSENSE}x"), (), 0),
        (("{NONSENSE}x", MD5_CRYPT), ("MD5-CRYPT",), 1),
        ((DIGEST, MD5_CRYPT), ("MD5-CRYPT",), 0),
        ((MD5_CRYPT,), (), 0),
        (("{NONSENSE}x",), (), 0),
    ],
)
def test_the_best_form_is_the_first_that_can_be_used_and_is_not_doubtful(
    stored: tuple[str, ...], permitted: tuple[str, ...], chosen: int
) -> None:
    assert hashing.best(stored, frozenset(permitted)) == stored[chosen]


def test_where_no_form_can_be_used_the_first_tells_why() -> None:
    with pytest.raises(MalformedSecret, match=r"^\{SHA256\}: expected base64$"):
        hashing.best(("{SHA256}x", MD5_CRYPT, "{NONSENSE}x"))
    with pytest.raises(MalformedSecret, match=r"^expected a stored form, found none$"):
        hashing.best(())
