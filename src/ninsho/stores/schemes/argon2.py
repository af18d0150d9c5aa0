"""Argon2 (RFC 9106), by argon2-cffi, which releases the interpreter's lock."""

import re
from dataclasses import dataclass
from secrets import token_bytes
from typing import TYPE_CHECKING, ClassVar, Literal

from ninsho.errors import StoreUnavailable
from ninsho.stores.schemes.scheme import Scheme

if TYPE_CHECKING:
    from argon2.low_level import Type

# Beyond these a hash would starve the others, or outlast Postfix's patience of 10 s.
_LIMITS = {
    "m": 2**20,  # KiB: each of the hashing threads may take 1 GiB
    "t": 100,
    "p": 16,  # the library starts this many threads four times a pass
}
_WORK_LIMIT = 2**21  # KiB times passes, about 2 s

_SHORTAGES = (-22, -33)  # argon2.h: ARGON2_MEMORY_ALLOCATION_ERROR, ARGON2_THREAD_FAIL
_FORM = re.compile(
    rb"\$argon2(?:id|i)\$(?:v=(?:16|19)\$)?"
    rb"m=(?P<m>[1-9][0-9]{0,9}),t=(?P<t>[1-9][0-9]{0,9}),p=(?P<p>[1-9][0-9]{0,9})"
    rb"\$[0-9A-Za-z+/]{11,86}\$[0-9A-Za-z+/]{22,171}"
)


@dataclass(frozen=True, slots=True)
class Argon2(Scheme):
    """One variant of Argon2; *memory* is in KiB, *time* in passes over it."""

    variant: Literal["id", "i"]
    memory: int
    time: int

    description: ClassVar[str] = "Argon2{variant} (RFC 9106), {memory} KiB, {time} passes"

    def verify(self, form: bytes, password: bytes) -> bool:
        """Hash again; raise ``StoreUnavailable`` where the memory cannot be had."""
        self._cost(form)
        from argon2 import exceptions, low_level  # noqa: PLC0415 - 24 ms, which a site without Argon2 need not pay

        try:
            return low_level.verify_secret(form, password, self._type)
        except exceptions.VerifyMismatchError:
            return False
        except exceptions.VerificationError as error:
            # The exception does not hold the code, only its text.
            if str(error) in map(low_level.error_to_str, _SHORTAGES):
                raise StoreUnavailable(f"{{{self.name}}}: no memory or thread to compute the hash") from None
            raise self.malformed(f"argon2 says: {error}") from None

    def make(self, password: bytes) -> bytes:
        """Hash with a new salt of 16 octets."""
        from argon2 import low_level  # noqa: PLC0415 - as above

        # RFC 9106 §4, the second choice, but for its four lanes: each processor has a hash of its own to compute.
        return low_level.hash_secret(password, token_bytes(16), self.time, self.memory, 1, 32, self._type)

    def outdated(self, form: bytes) -> bool:
        """Tell whether it had less memory or fewer passes."""
        memory, time = self._cost(form)
        return memory < self.memory or time < self.time

    @property
    def _type(self) -> "Type":
        from argon2.low_level import Type  # noqa: PLC0415 - as above

        return Type.ID if self.variant == "id" else Type.I

    def _cost(self, form: bytes) -> tuple[int, int]:
        if not (parts := _FORM.fullmatch(form)):
            raise self.malformed(f"expected $argon2{self.variant}$v=19$m=…,t=…,p=…$salt$hash")
        for parameter, limit in _LIMITS.items():
            if int(parts[parameter]) > limit:
                raise self.malformed(f"expected {parameter}={limit} at most, got {int(parts[parameter])}")
        memory, time = int(parts["m"]), int(parts["t"])
        if memory * time > _WORK_LIMIT:
            raise self.malformed(f"expected t={_WORK_LIMIT // memory} at most for m={memory}, got {time}")
        return memory, time
