"""`python -m generation_functions COMMAND`, or what to do where what it needs is not installed."""

import sys

from generation_functions.install import VENV_PYTHON

try:
    from generation_functions.command_line import main
except ModuleNotFoundError as error:
    if str(error.name).startswith(f"{__package__}."):
        raise
    raise SystemExit(
        f"{error.name} is not installed for {sys.executable}. Run `make setup` once, then "
        f"`{VENV_PYTHON} -m {__package__}`, or first `source {VENV_PYTHON.parent / 'activate'}`."
    ) from None

if __name__ == "__main__":
    sys.exit(main())
