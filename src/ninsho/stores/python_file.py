"""Loading a Python file of the site's own: a store, or mechanisms."""

import sys
from pathlib import Path
from types import CodeType, ModuleType

from ninsho.errors import ConfigurationError


def load(path: Path) -> ModuleType:
    """Run the file at *path* as a module of its own, anew at each call; raise ``ConfigurationError`` with the line.

    Other modules in its directory can be imported, as where Python itself runs a file; only that whatever is installed
    comes first. No compiled file is left beside it.
    """
    code = _compile(path)
    # Dataclasses and pickling look a module up by its name, which must be nobody else's.
    name = f"ninsho_site.{path.stem}"
    module = ModuleType(name)
    module.__file__ = str(path)
    before = sys.modules.get(name)
    sys.modules[name] = module
    if (directory := str(path.absolute().parent)) not in sys.path:
        sys.path.append(directory)
    try:
        exec(code, module.__dict__)  # noqa: S102 - running the site's file is what was asked for
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it raises, it is told where
        problem = f"{place_of(error, path)}: {_finding(error)}"
    else:
        return module
    # What was loaded from it before may still be at work.
    if before is not None:
        sys.modules[name] = before
    else:
        del sys.modules[name]
    # Raised out here: the site's error may hold what it was working on.
    raise ConfigurationError([problem])


def place_of(error: BaseException, path: Path) -> str:
    """Return the line of the file at *path* that was at work when *error* was raised, perhaps further down."""
    place, trace = f"{path}", error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            place = f"{path}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def _compile(path: Path) -> CodeType:
    try:
        return compile(path.read_bytes(), str(path), "exec")
    except OSError as error:
        problem = f"{path}: cannot be read: {error.strerror}"
    except SyntaxError as error:
        problem = f"{path}:{error.lineno or 1}: {error.msg}"
    except ValueError:
        problem = f"{path}: expected Python, got a NUL octet"
    raise ConfigurationError([problem])


def _finding(error: BaseException) -> str:
    """What is said of *error*: its text only where that is about names in the program, never about values."""
    kind = type(error).__name__
    return f"{kind}: {error}" if isinstance(error, ImportError | NameError | AttributeError) else f"raised {kind}"
