"""Names and mechanisms: those that ninsho knows, and those that a site adds."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from ninsho.sasl.cram_md5 import CRAM_MD5
from ninsho.sasl.login import LOGIN
from ninsho.sasl.mechanism import Mechanism
from ninsho.sasl.plain import PLAIN

# In the order in which they are offered: some clients take the first they know.
BUILTIN: Mapping[str, Mechanism] = MappingProxyType({one.name: one for one in (PLAIN, LOGIN, CRAM_MD5)})


def mechanisms(*own: Iterable[Mechanism]) -> dict[str, Mechanism]:
    """Return all mechanisms by name: the built-in ones and a site's *own*, which may replace a built-in one."""
    return {**BUILTIN, **{one.name: one for group in own for one in group}}
