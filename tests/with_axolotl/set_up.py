"""Makes .venv-axolotl, in which the real Axolotl reads what this program writes.

Standard library only; a stamp says what it was made for, so that a second call does nothing.
"""

import hashlib
import subprocess
import sys
from pathlib import Path

from generation_functions.install import pip, run_logged, say

HERE = Path(__file__).resolve().parent
VENV = HERE.parents[1] / ".venv-axolotl"
STAMP = VENV / "palimpsest.txt"
AXOLOTL = "axolotl==0.19.0"


def set_up() -> None:
    """Make the environment where it is missing or was made for something else."""
    wanted = f"{sys.version_info[:2]} {AXOLOTL} " + _hash(HERE / "requirements.txt")
    if STAMP.exists() and STAMP.read_text(encoding="utf-8") == wanted:
        return
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)
    install = [*pip(VENV / "bin" / "python"), "install"]
    log = VENV / "setup.log"
    say("Installing what Axolotl needs to read configs and rows (some minutes the first time)")
    run_logged([*install, "--requirement", str(HERE / "requirements.txt")], log)
    run_logged([*install, "--no-deps", AXOLOTL], log)
    STAMP.write_text(wanted, encoding="utf-8")


def _hash(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


if __name__ == "__main__":
    set_up()
