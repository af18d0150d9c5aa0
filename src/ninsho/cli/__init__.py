"""The command line: one file a noun. What a command needs is imported when it runs."""

import sys


def main() -> None:
    """Run ``ninsho`` with the arguments of this process."""
    # Postfix's spawn(8) starts a process for each smtpd: it must not wait for the imports of the whole command line.
    if sys.argv[1:2] == ["serve"] and "--stdio" in sys.argv:
        from ninsho.cli.stdio import options_of, serve  # noqa: PLC0415

        if (options := options_of(sys.argv[2:])) is not None:
            sys.exit(serve(options))
    try:
        from ninsho.cli.app import run  # noqa: PLC0415
    except ModuleNotFoundError as error:
        sys.exit(
            f"ninsho: expected the packages of ninsho[server], found no {error.name}: pip install 'ninsho[server]'"
        )
    run()
