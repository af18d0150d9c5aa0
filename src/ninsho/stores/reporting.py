"""What a store tells the site's administrator while it works; the daemon hands it to its journal."""

LOGGER = "ninsho.stores"


def report(text: str) -> None:
    """Tell *text*, one line without secrets."""
    # Loaded for those who have something to tell: it takes 5 ms.
    from logging import getLogger  # noqa: PLC0415

    getLogger(LOGGER).warning("%s", text)
