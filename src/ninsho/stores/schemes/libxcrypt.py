"""The system's libxcrypt, by ctypes, which releases the interpreter's lock while a hash is computed."""

import errno
from ctypes import CDLL, c_char_p, c_int, c_ulong, c_void_p, create_string_buffer, get_errno
from hmac import compare_digest
from typing import Any

from ninsho.errors import StoreUnavailable

_FILES = ("libcrypt.so.1", "libcrypt.so.2")  # with the symbols of old programs, and without
_DATA_SIZE = 32_768  # sizeof (struct crypt_data)
_SETTING_SIZE = 192  # CRYPT_GENSALT_OUTPUT_SIZE


class Libxcrypt:
    """crypt(3) of the system."""

    def __init__(self, library: Any) -> None:  # noqa: ANN401 - a CDLL's functions are found at run time
        self._crypt = library.crypt_rn
        self._crypt.argtypes = (c_char_p, c_char_p, c_void_p, c_int)
        self._crypt.restype = c_char_p
        self._gensalt = library.crypt_gensalt_rn
        self._gensalt.argtypes = (c_char_p, c_ulong, c_char_p, c_int, c_void_p, c_int)
        self._gensalt.restype = c_char_p

    @classmethod
    def load(cls) -> "Libxcrypt | None":
        """Return the library, None where the system has none."""
        for file in _FILES:
            # A file of that name without these functions is glibc's own, of long ago: it lacks the methods as well.
            try:
                return cls(CDLL(file, use_errno=True))
            except (OSError, AttributeError):
                continue
        return None

    def verify(self, form: bytes, phrase: bytes) -> bool | None:
        """Tell whether *form* was made from *phrase*; None where *form* is refused or its method unknown."""
        hashed = self._hash(phrase, form)
        return None if hashed is None else compare_digest(hashed, form)

    def make(self, prefix: bytes, phrase: bytes, *, rounds: int) -> bytes | None:
        """Make a form with a new salt, at the method's usual cost where *rounds* is 0; None for an unknown method."""
        data = create_string_buffer(_SETTING_SIZE)
        # Without octets of ours the library takes its own from the system.
        setting: bytes | None = self._gensalt(prefix, rounds, None, 0, data, len(data))
        return None if setting is None else self._hash(phrase, setting)

    def _hash(self, phrase: bytes, setting: bytes) -> bytes | None:
        data = create_string_buffer(_DATA_SIZE)
        hashed: bytes | None = self._crypt(phrase, setting, data, len(data))
        # yescrypt and scrypt cannot tell want of memory from a setting that they refuse.
        if hashed is None and get_errno() == errno.ENOMEM:
            raise StoreUnavailable("crypt(3): no memory to compute the hash")
        return hashed
