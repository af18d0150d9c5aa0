"""What a command loads: the price of its start."""

import subprocess
import sys


def loaded_after(*tokens: str) -> set[str]:
    code = f"import sys\nfrom ninsho.cli.app import run\ntry: run({list(tokens)})\nfinally: print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())
