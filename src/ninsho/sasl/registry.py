"""Names and mechanisms: those that ninsho knows, and those that a site adds."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from ninsho.sasl.anonymous import ANONYMOUS
from ninsho.sasl.cram_md5 import CRAM_MD5
from ninsho.sasl.digest_md5 import DIGEST_MD5
from ninsho.sasl.external import EXTERNAL
from ninsho.sasl.gssapi import GSSAPI
from ninsho.sasl.login import LOGIN
from ninsho.sasl.mechanism import Mechanism
from ninsho.sasl.oauth import OAUTHBEARER, XOAUTH2
from ninsho.sasl.plain import PLAIN
from ninsho.sasl.scram import SCRAM_SHA3_512, SCRAM_SHA_1, SCRAM_SHA_256, SCRAM_SHA_512

# In the order in which they are offered: some clients take the first they know.
_OURS = (
    PLAIN,
    LOGIN,
    SCRAM_SHA_256,
    SCRAM_SHA_512,
    SCRAM_SHA_1,
    OAUTHBEARER,
    XOAUTH2,
    CRAM_MD5,
    DIGEST_MD5,
    SCRAM_SHA3_512,
    GSSAPI,
    EXTERNAL,
    ANONYMOUS,
)
BUILTIN: Mapping[str, Mechanism] = MappingProxyType({one.name: one for one in _OURS})


def mechanisms(*own: Iterable[Mechanism]) -> dict[str, Mechanism]:
    """Return all mechanisms by name: the built-in ones and a site's *own*, which may replace a built-in one."""
    return {**BUILTIN, **{one.name: one for group in own for one in group}}


def clients(*own: Iterable[Mechanism]) -> dict[str, Mechanism]:
    """Return all mechanisms that have a client's side, by name: those that bind the channel stand under their own."""
    known = mechanisms(*own).values()
    return {one.name: one for entry in known for one in (*entry.bound, entry) if one.client}
