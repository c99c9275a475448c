"""Packs a small folder from which `make bench-gpu` sets up on a machine without a network.

    python -m benchmarks.pack_for_gpu FOLDER [--python 3.12] [--cmake] [--check]

Into the folder come: llama-cpp-python's source distribution, without what a build for CPU or
CUDA does not read; the wheels that `make bench-gpu` needs on x86-64 Linux; the embedded
model's vocabulary. README.md says how the folder is used. `--cmake` adds wheels of cmake and
ninja; `--check` lets CMake configure the small source tree (nothing is compiled).
"""

import argparse
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from benchmarks.random_models import EMBEDDED, ROOT
from benchmarks.vocabulary import read_vocabulary, write_vocabulary
from generation_functions.install import llama_version, pip

# Of the source distribution: what CMakeLists.txt and scikit-build-core read.
_LLAMA = "vendor/llama.cpp/"
_KEPT = (
    "CMakeLists.txt",
    "LICENSE.md",
    "PKG-INFO",
    "README.md",
    "pyproject.toml",
    "llama_cpp/",
    *(
        f"{_LLAMA}{name}"
        for name in (
            "CMakeLists.txt",
            "AUTHORS",
            "LICENSE",
            "cmake/",
            "common/",
            "ggml/",
            "include/",
            "licenses/",
            "src/",
            "tools/mtmd/",
            "vendor/",
        )
    ),
)
_BACKEND = re.compile(rf"{_LLAMA}ggml/src/ggml-(?!cpu/|cuda/)[a-z0-9]+/")
_IMAGE = re.compile(r"\.(jpe?g|png|mp3|wav|gif)$")
_BUILD = ("scikit-build-core[pyproject]>=0.9.2", "tomli", "exceptiongroup")
_PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64", "any")


def is_kept(name: str) -> bool:
    """Whether a build for CPU or CUDA reads the file; `name` is its path in the source tree."""
    wanted = any(name == one or (one.endswith("/") and name.startswith(one)) for one in _KEPT)
    return wanted and not _BACKEND.match(name) and not _IMAGE.search(name)


def prune(source: Path, target: Path) -> None:
    """Write a source distribution that holds of `source` what is kept."""
    with tarfile.open(source) as whole, tarfile.open(target, "w:gz") as small:
        for member in whole:
            if member.isfile() and is_kept(member.name.partition("/")[2]):
                small.addfile(member, whole.extractfile(member))


def configure(source: Path) -> None:
    """Let CMake configure the tree for the CPU; raises CalledProcessError with its words above."""
    with tempfile.TemporaryDirectory() as temporary:
        with tarfile.open(source) as archive:
            archive.extractall(temporary, filter="data")
        tree = next(Path(temporary).iterdir())
        # Outside of scikit-build-core nobody names the folder of the wheel.
        names = ["-DSKBUILD_PLATLIB_DIR=/nowhere", "-DSKBUILD_PROJECT_VERSION=0"]
        command = ["cmake", "-S", str(tree), "-B", f"{temporary}/build", *names]
        subprocess.run(command, check=True)


def fetch(folder: Path, python: str, cmake: bool) -> None:
    """Fetch the wheels, for another Python than this one too."""
    tools = ["cmake", "ninja"] if cmake else []
    command = [*pip(sys.executable), "download", "--dest", str(folder), "--only-binary", ":all:"]
    command += ["--python-version", python, "--implementation", "cp"]
    command += [word for platform in _PLATFORMS for word in ("--platform", platform)]
    command += ["--requirement", str(ROOT / "benchmarks" / "requirements.txt")]
    command += ["--constraint", str(ROOT / "requirements.txt"), *_BUILD, *tools]
    subprocess.run(command, check=True)


def fetch_source(folder: Path) -> Path:
    """Fetch llama-cpp-python's source distribution and return it."""
    version = llama_version((ROOT / "requirements.txt").read_text(encoding="utf-8"))
    command = [*pip(sys.executable), "download", "--dest", str(folder), "--no-deps"]
    command += ["--no-binary", "llama-cpp-python", f"llama-cpp-python=={version}"]
    subprocess.run(command, check=True)
    return next(folder.glob("llama_cpp_python-*.tar.gz"))


def main() -> None:
    """Pack the folder and say what is in it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--python", default="{}.{}".format(*sys.version_info[:2]))
    parser.add_argument("--cmake", action="store_true", help="for a machine without CMake or ninja")
    parser.add_argument("--check", action="store_true", help="configure the small source tree")
    options = parser.parse_args()
    folder = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        source = fetch_source(Path(temporary))
        prune(source, folder / source.name)
    fetch(folder, options.python, options.cmake)
    write_vocabulary(folder / "vocabulary.gguf", read_vocabulary(EMBEDDED))
    if options.check:
        configure(folder / source.name)
    sizes = {path.name: path.stat().st_size for path in sorted(folder.iterdir())}
    for name, size in sizes.items():
        print(f"{size / 2**20:8.2f} MiB  {name}")
    print(f"{sum(sizes.values()) / 2**20:8.2f} MiB in all")


if __name__ == "__main__":
    main()
