"""A real Kerberos for a moment: MIT's KDC for two realms that trust each other one way, keytabs and tickets."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from ninsho.cli.throwaway import ProgramUnavailable, ThrowawayProgram
from ninsho.sasl.exchange import Channel, Credentials, Exchange
from ninsho.sasl.gssapi import GSSAPI

REALM = "EXAMPLE.ORG"
# Its users may use the services of REALM.
OTHER_REALM = "OTHER.EXAMPLE"
HOST = "mail.example.org"
PASSWORD = "Open, Sesame"

SEARCHED = "/usr/sbin:/usr/bin:/sbin:/bin"

LIBRARY = """
[libdefaults]
    default_realm = EXAMPLE.ORG
    dns_lookup_kdc = false
    dns_lookup_realm = false
    dns_canonicalize_hostname = false
    rdns = false
    # TCP alone.
    udp_preference_limit = 1
    default_rcache_name = file2:{directory}/replays
[realms]
    EXAMPLE.ORG = {{
        kdc = 127.0.0.1:{port}
    }}
    OTHER.EXAMPLE = {{
        kdc = 127.0.0.1:{port}
    }}
[domain_realm]
    .example.org = EXAMPLE.ORG
[logging]
    kdc = FILE:{directory}/log
"""

KDC = """
[kdcdefaults]
    kdc_listen = ""
    kdc_tcp_listen = 127.0.0.1:{port}
[realms]
    EXAMPLE.ORG = {{
        database_name = {directory}/EXAMPLE.ORG
        key_stash_file = {directory}/EXAMPLE.ORG.stash
    }}
    OTHER.EXAMPLE = {{
        database_name = {directory}/OTHER.EXAMPLE
        key_stash_file = {directory}/OTHER.EXAMPLE.stash
    }}
"""


class ThrowawayKerberos(ThrowawayProgram):
    """A KDC on a free port of 127.0.0.1; every user's password is ``PASSWORD``."""

    name = "krb5kdc"
    ready = "commencing operation"

    def lay_out(self) -> Sequence[str | Path]:
        (self.directory / "krb5.conf").write_text(LIBRARY.format(directory=self.directory, port=self.port))
        (self.directory / "kdc.conf").write_text(KDC.format(directory=self.directory, port=self.port))
        self.environment = {
            "KRB5_CONFIG": str(self.directory / "krb5.conf"),
            "KRB5_KDC_PROFILE": str(self.directory / "kdc.conf"),
        }
        for realm in (REALM, OTHER_REALM):
            self._run("kdb5_util", "-r", realm, "create", "-s", "-P", "master")
            self.administer(f"addprinc -pw trust krbtgt/{REALM}@{OTHER_REALM}", realm=realm)
        return [found("krb5kdc"), "-n", "-r", REALM, "-r", OTHER_REALM]

    def administer(self, *commands: str, realm: str = REALM) -> None:
        """Run *commands* of kadmin(1)."""
        for command in commands:
            self._run("kadmin.local", "-r", realm, "-q", command)

    def add_user(self, name: str, *, realm: str = REALM) -> None:
        self.administer(f'addprinc -pw "{PASSWORD}" {name}', realm=realm)

    def add_service(self, service: str, *, keytab: str, host: str = HOST) -> Path:
        """Make a *service* and put its keys into a keytab of this name."""
        self.administer(f"addprinc -randkey {service}/{host}")
        return self.renew_keys(service, keytab=keytab, host=host)

    def renew_keys(self, service: str, *, keytab: str, host: str = HOST) -> Path:
        """Make new keys, and put them into a keytab of this name."""
        path = self.directory / keytab
        self.administer(f"ktadd -k {path} {service}/{host}")
        return path

    def log_in(self, principal: str, *options: str) -> Path:
        """Get a ticket, in a cache of its own, by kinit(1) with *options*."""
        cache = self.directory / f"cache-{len(list(self.directory.glob('cache-*')))}"
        self._run("kinit", *options, "-c", str(cache), principal, typed=f"{PASSWORD}\n")
        return cache

    def log_in_with_a_wrong_clock(self, seconds: int) -> Path:
        """Get a ticket for the service as ``tim``, whose clock then goes wrong by so many *seconds*."""
        cache = self.log_in("tim")
        with self.used(cache):
            our_client().begin()
        shift_clock(cache, seconds)
        return cache

    def variables(self, cache: Path | None = None) -> Mapping[str, str]:
        """The environment in which programs use this Kerberos, with the tickets of *cache* (None: with none)."""
        return {**self.environment, "KRB5CCNAME": str(cache or self.directory / "no-cache")}

    @contextmanager
    def used(self, cache: Path | None = None, **others: Path | str) -> Iterator[None]:
        """Use it in this process, with *others* of the library's variables."""
        with mock.patch.dict(os.environ, {**self.variables(cache), **{name: str(to) for name, to in others.items()}}):
            yield

    def _run(self, program: str, *arguments: str, typed: str = "") -> None:
        done = subprocess.run(
            [found(program), *arguments],
            input=typed,
            env={"PATH": SEARCHED, **self.environment},
            cwd=self.directory,
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        # kadmin.local ends well whatever it was told.
        if done.returncode != 0 or f"{program}: " in done.stderr:
            raise ProgramUnavailable(f"{program} {' '.join(arguments)}: {done.stdout}{done.stderr}")


def found(program: str) -> str:
    if (path := shutil.which(program, path=SEARCHED)) is None:
        raise ProgramUnavailable(f"{program} is not installed: scripts/install-peers installs it")
    return path


def our_client(*, host: str = HOST, service: str = "smtp", **names: str) -> Exchange:
    """Our client's side; *names* are those of its credentials."""
    return Exchange(GSSAPI.client(Credentials(channel=Channel(service=service, host=host), **names)))


def shift_clock(cache: Path, seconds: int) -> None:
    """Make whoever uses *cache* believe that the KDC's clock is so far ahead: its header has the difference."""
    octets = cache.read_bytes()
    # The version, 12 octets of header, of them 8 for tag 1: seconds and microseconds.
    assert octets[:8] == bytes((5, 4, 0, 12, 0, 1, 0, 8))
    cache.write_bytes(octets[:8] + seconds.to_bytes(4, "big", signed=True) + octets[12:])
