"""``python -m ninsho``."""

from ninsho.cli import main

main()
