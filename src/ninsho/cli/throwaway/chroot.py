"""A directory furnished so that a program may have it for its root directory."""

import shutil
from itertools import chain
from pathlib import Path

# What Debian's configure-instance.sh, too, copies for a chrooted smtpd(8).
FILES = (
    *(f"etc/{name}" for name in ("host.conf", "hosts", "localtime", "nsswitch.conf", "resolv.conf", "services")),
    *(f"lib/*-linux-*/{name}.so.*" for name in ("libgcc_s", "libnss_*", "libresolv")),
)


def furnish(root: Path) -> None:
    """Copy into *root* what a program needs of the system's files once it sees nothing else; where there are any."""
    for path in chain.from_iterable(Path("/").glob(pattern) for pattern in FILES):
        inside = root / path.relative_to("/")
        inside.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, inside)
        # Not left to mkdir: the umask would take away from it.
        for parent in inside.relative_to(root).parents:
            (root / parent).chmod(0o755)
