"""Other people's verifiers of DKIM signatures: opendkim and Perl's Mail::DKIM, told the public keys without a DNS."""

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from ninsho.mail.signing.dkim import Dkim

CONFIGURATION = """\
Mode v
Syslog no
Diagnostics yes
TestPublicKeys {keys}
"""
# "dkim=pass (2048-bit key) header.d=… header.s=…", perhaps with a reason in between.
OPENDKIM_RESULT = re.compile(r"dkim=(\w+) .*?header\.s=(\S+)", re.DOTALL)


def opendkim(program: str, folder: Path, octets: bytes, signers: Iterable[Dkim]) -> dict[str, str]:
    """Return what opendkim says of each signature, by its selector: ``pass`` or ``fail``."""
    configuration, message = folder / "opendkim.conf", folder / "message.eml"
    configuration.write_text(CONFIGURATION.format(keys=_keys(folder, signers)))
    message.write_bytes(octets)
    done = subprocess.run(
        [program, "-vv", "-x", configuration, "-t", message], capture_output=True, text=True, check=True, timeout=60
    )
    return {selector: result for result, selector in OPENDKIM_RESULT.findall(done.stdout)}


def mail_dkim(perl: str, folder: Path, octets: bytes, signers: Iterable[Dkim]) -> dict[str, str]:
    """Return what Mail::DKIM says of each signature, by its selector: ``pass``, ``fail (why)`` or ``invalid (why)``."""
    script = Path(__file__).parent / "mail_dkim.pl"
    done = subprocess.run(
        [perl, script, _keys(folder, signers)], input=octets, capture_output=True, check=True, timeout=60
    )
    return dict(line.split(" ", 1) for line in done.stdout.decode().splitlines())


def _keys(folder: Path, signers: Iterable[Dkim]) -> Path:
    path = folder / "keys"
    path.write_text("".join(f"{one.selector}._domainkey.{one.domain} {one.record}\n" for one in signers))
    return path
