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
# Without their needs: Axolotl's are listed where they are needed, and any triton does on the CPU.
ALONE = (
    "axolotl==0.19.0",
    "axolotl-contribs-lgpl==0.0.7",
    "axolotl-contribs-mit==0.0.6",
    "triton==3.4.0",
)


def set_up() -> None:
    """Make the environment where it is missing or was made for something else."""
    wanted = f"{sys.version_info[:2]} {' '.join(ALONE)} " + _hash(HERE / "requirements.txt")
    if STAMP.exists() and STAMP.read_text(encoding="utf-8") == wanted:
        return
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)
    install = [*pip(VENV / "bin" / "python"), "install"]
    log = VENV / "setup.log"
    say("Installing what Axolotl takes to read our files and train (some minutes the first time)")
    run_logged([*install, "--requirement", str(HERE / "requirements.txt")], log)
    run_logged([*install, "--no-deps", *ALONE], log)
    STAMP.write_text(wanted, encoding="utf-8")


def _hash(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


if __name__ == "__main__":
    set_up()
