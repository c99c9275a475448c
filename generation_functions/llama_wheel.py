"""Decides how llama-cpp-python is got for this machine: `plan` is a function of facts.

The user's word comes first (PALIMPSEST_LLAMA_WHEELS, then CMAKE_ARGS), then the GPU. A machine
with an NVIDIA GPU never gets a build for the CPU unless that was asked for by name.
Standard library only: this runs before anything is installed.
"""

import hashlib
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from generation_functions.errors import PalimpsestError

CHOICES = ("PALIMPSEST_LLAMA_WHEELS", "CMAKE_ARGS", "PALIMPSEST_CPU")
CUDA_NVCC = Path("/usr/local/cuda/bin/nvcc")
NAMES_BACKEND = re.compile(r"-DGGML_(CUDA|HIP|MUSA|VULKAN|METAL|SYCL|OPENCL|CANN)(:\w+)?=")
NOT_NATIVE = re.compile(r"-DGGML_NATIVE(:\w+)?=(OFF|0|NO|FALSE)\b", re.IGNORECASE)

NO_NVCC = """\
This machine has an NVIDIA GPU, but no nvcc (looked at CUDACXX, PATH and /usr/local/cuda/bin), \
so llama.cpp cannot be built for it. Two ways out:
  1. prebuilt CUDA wheels of llama-cpp-python {version}, from an index or a folder:
       PALIMPSEST_LLAMA_WHEELS=<url or folder> make setup
  2. the CUDA toolkit, which brings nvcc (apt-get install nvidia-cuda-toolkit, or an image \
whose name has "devel" in it), then make setup again.
To use the CPU although there is a GPU: PALIMPSEST_CPU=1 make setup"""

NO_COMPILER = """\
llama-cpp-python is built on this machine, which needs a C++ compiler, and there is none. \
Install one (apt-get install build-essential), or name an index or a folder that has a wheel of \
llama-cpp-python {version}: PALIMPSEST_LLAMA_WHEELS=<url or folder> make setup"""


@dataclass(frozen=True, slots=True)
class Machine:
    """What a build depends on; "" and None where the machine has no such thing.

    `system` is architecture and C library, `cpu` its instruction sets, `gpu` the compute
    capabilities of its NVIDIA GPUs, `nvcc` and `compiler` are programs.
    """

    system: str = ""
    cpu: str = ""
    gpu: str = ""
    nvcc: str | None = None
    compiler: str | None = None

    @property
    def fingerprint(self) -> str:
        """Changes where a wheel that was built for this machine may no longer run."""
        return _short_hash(self.system, self.cpu, self.gpu)


@dataclass(frozen=True, slots=True)
class Plan:
    """How llama-cpp-python is got.

    `tag` names the folder that keeps a built wheel. `pip` and `env` are what pip is given
    beyond the requirement. `needs_gpu`: an install that cannot use the GPU is an error.
    `obstacle` says why it cannot be built here; a wheel kept from earlier still serves.
    """

    why: str
    tag: str
    builds: bool
    needs_gpu: bool
    pip: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    obstacle: str | None = None


def choices(env: Mapping[str, str]) -> dict[str, str]:
    """Return the variables by which the user chooses, as far as they say something."""
    return {name: env[name].strip() for name in CHOICES if env.get(name, "").strip()}


def plan(machine: Machine, chosen: Mapping[str, str], version: str) -> Plan:
    """Return how to get llama-cpp-python `version`; `chosen` comes from `choices`."""
    on_cpu = chosen.get("PALIMPSEST_CPU", "0") != "0"
    wheels = chosen.get("PALIMPSEST_LLAMA_WHEELS")
    if wheels:
        return _plan_given(wheels, version, needs_gpu=bool(machine.gpu) and not on_cpu)

    cmake_args = chosen.get("CMAKE_ARGS", "")
    why = "CMAKE_ARGS as given" if cmake_args else "no NVIDIA GPU"
    use_cuda = bool(machine.gpu) and not on_cpu and not NAMES_BACKEND.search(cmake_args)
    if use_cuda:
        why = "NVIDIA GPU" + (", with CMAKE_ARGS as given" if cmake_args else "")
        cmake_args = f"{cmake_args} -DGGML_CUDA=on".strip()
    elif on_cpu and not cmake_args:
        why = "PALIMPSEST_CPU is set"

    kind = "cuda" if use_cuda else "custom" if cmake_args else "cpu"
    depends_on = (
        cmake_args,
        machine.system,
        "" if NOT_NATIVE.search(cmake_args) else machine.cpu,
        machine.gpu if kind != "cpu" else "",
    )
    env = {"CMAKE_ARGS": cmake_args} if cmake_args else {}
    if "GGML_CUDA" in cmake_args and machine.nvcc:
        env["CUDACXX"] = machine.nvcc
    obstacle = None
    if use_cuda and not machine.nvcc:
        obstacle = NO_NVCC.format(version=version)
    elif not machine.compiler:
        obstacle = NO_COMPILER.format(version=version)
    # pip keeps the wheels it builds without regard to CMAKE_ARGS, and an index of the user's
    # may have wheels built for the CPU: only the plain build may come from there.
    source_only = ("--no-cache-dir", "--no-binary", "llama-cpp-python") if cmake_args else ()
    return Plan(
        why=why,
        tag=f"{version}-{kind}-{_short_hash(*depends_on)}",
        builds=True,
        needs_gpu=use_cuda,
        pip=source_only,
        env=tuple(env.items()),
        obstacle=obstacle,
    )


def _plan_given(wheels: str, version: str, needs_gpu: bool) -> Plan:
    if "://" in wheels:
        source: tuple[str, ...] = ("--index-url", wheels)
    elif Path(wheels).expanduser().is_dir():
        source = ("--no-index", "--find-links", str(Path(wheels).expanduser().resolve()))
    else:
        raise PalimpsestError(
            f"PALIMPSEST_LLAMA_WHEELS names {wheels}, which is neither a folder nor a url. "
            f"It must hold a wheel of llama-cpp-python {version}."
        )
    return Plan(
        why="PALIMPSEST_LLAMA_WHEELS as given",
        tag=f"{version}-given-{_short_hash(wheels)}",
        builds=False,
        needs_gpu=needs_gpu,
        pip=("--only-binary", "llama-cpp-python", *source),
    )


def read_machine(env: Mapping[str, str]) -> Machine:
    """Look at this machine: at most one call of nvidia-smi."""
    candidates = (env.get("CUDACXX"), "nvcc", str(CUDA_NVCC))
    compilers = (env.get("CXX"), "c++", "g++", "clang++")
    return Machine(
        system=f"{platform.system()} {platform.machine()} {' '.join(platform.libc_ver())}",
        cpu=_cpu_features(),
        gpu=_gpu_capabilities(),
        nvcc=next((found for name in candidates if name and (found := shutil.which(name))), None),
        compiler=next((name for name in compilers if name and shutil.which(name)), None),
    )


def _cpu_features() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith(("flags", "Features")):
                return " ".join(sorted(line.partition(":")[2].split()))
    return platform.processor()


def _gpu_capabilities() -> str:
    for question in (["--query-gpu=compute_cap", "--format=csv,noheader"], ["-L"]):
        try:
            reply = subprocess.run(["nvidia-smi", *question], capture_output=True, text=True)
        except OSError:
            break
        if reply.returncode == 0 and reply.stdout.strip():
            return " ".join(sorted(set(reply.stdout.split("\n")))).strip()
    gpus = Path("/proc/driver/nvidia/gpus")
    return "NVIDIA" if gpus.is_dir() and os.listdir(gpus) else ""


def _short_hash(*values: str) -> str:
    return hashlib.sha256("\x1f".join(values).encode()).hexdigest()[:8]
