"""Certificates of the tests' own: one that a client should trust, and one for each way in which it should not."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme

from ninsho.cli.throwaway import DOMAIN

HOSTS = ("localhost", "127.0.0.1", f"mail.{DOMAIN}")
LONG_AGO = datetime.now(UTC) - timedelta(days=400)
A_YEAR_LATER = LONG_AGO + timedelta(days=365)


@dataclass(frozen=True)
class Certificates:
    """PEM files, each with a key and the certificates that belong to it; ``authority`` is what a client is to trust."""

    authority: Path
    good: Path
    expired: Path
    wrong_name: Path
    unknown_authority: Path
    # By the name of `tim` at DOMAIN.
    client: Path
    # By the same name, from an authority that nobody has heard of.
    forged_client: Path


def issue(folder: Path, *, client: str) -> Certificates:
    """Write all of them into *folder*; the client's bear the address *client*."""
    ours, theirs = trustme.CA(), trustme.CA()
    authority = folder / "authority.pem"
    ours.cert_pem.write_to_path(str(authority))
    issued = {
        "good": ours.issue_cert(*HOSTS),
        "expired": ours.issue_cert(*HOSTS, not_before=LONG_AGO, not_after=A_YEAR_LATER),
        "wrong_name": ours.issue_cert("elsewhere.example.test"),
        "unknown_authority": theirs.issue_cert(*HOSTS),
        "client": ours.issue_cert(client),
        "forged_client": theirs.issue_cert(client),
    }
    return Certificates(authority, **{name: _written(folder / f"{name}.pem", leaf) for name, leaf in issued.items()})


def _written(path: Path, leaf: trustme.LeafCert) -> Path:
    leaf.private_key_and_cert_chain_pem.write_to_path(str(path))
    return path
