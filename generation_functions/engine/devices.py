"""What this machine can give a model: memory of host and GPUs, cores, GPU offload.

GPUs are numbered as their processes see them: 0 is the first in CUDA_VISIBLE_DEVICES, or,
where that is not set, of nvidia-smi. CUDA's own order (fastest first) may be another; so
a child is told CUDA_DEVICE_ORDER=PCI_BUS_ID, which is nvidia-smi's.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import psutil
import pynvml

from generation_functions.engine.load_settings import LoadSettings

_OFFLOAD = "import llama_cpp; print(llama_cpp.llama_supports_gpu_offload())"


@dataclass(frozen=True, slots=True)
class Memory:
    """A device's memory, in bytes. What other processes hold is not free."""

    name: str
    free: int
    total: int


@dataclass(frozen=True, slots=True)
class Machine:
    """The memory of the host and of each visible NVIDIA GPU.

    `offload`: llama.cpp can use a GPU here. It is only asked where an answer matters.
    """

    host: Memory
    gpus: tuple[Memory, ...] = ()
    offload: bool = False

    def emptied(self) -> "Machine":
        """Return the machine as if nothing else ran on it."""
        host, *gpus = (replace(one, free=one.total) for one in (self.host, *self.gpus))
        return replace(self, host=host, gpus=tuple(gpus))


def read_machine(gpu_layers: int) -> Machine:
    """Return what is free now; `gpu_layers` is what is wanted of the GPUs (0: nothing)."""
    gpus = _read_gpus(os.environ.get("CUDA_VISIBLE_DEVICES"))
    wants = gpu_layers > 0 or (gpu_layers < 0 and bool(gpus))
    return Machine(_read_host(Path("/")), gpus, wants and _supports_offload())


def physical_cores() -> int:
    """Return how many threads help llama.cpp: one for each physical core it may use.

    Two hyperthreads of a core share its vector units, which one thread keeps busy already.
    Affinity and a container's CPU quota count.
    """
    allowed = len(psutil.Process().cpu_affinity()) if hasattr(psutil.Process, "cpu_affinity") else 0
    cores = psutil.cpu_count(logical=False) or os.cpu_count() or 1
    return max(1, min(cores, allowed or cores, _cpu_quota(Path("/")) or cores))


def child_environment(settings: LoadSettings, env: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that show a child its GPUs.

    One GPU is chosen by hiding the others, not by `main_gpu`: llama.cpp opens a CUDA
    context on every GPU that it sees, some hundred MB on each. For the same reason a child
    that wants none (`gpu_layers: 0`, a token counter) sees none.
    """
    if settings.gpu_layers == 0:
        return {"CUDA_VISIBLE_DEVICES": "-1"}
    order = {"CUDA_DEVICE_ORDER": env.get("CUDA_DEVICE_ORDER", "PCI_BUS_ID")}
    if settings.gpu is None:
        return order
    visible = _entries(env.get("CUDA_VISIBLE_DEVICES"))
    chosen = str(settings.gpu) if visible is None else visible[settings.gpu]
    return {**order, "CUDA_VISIBLE_DEVICES": chosen}


def _entries(visible: str | None) -> list[str] | None:
    return None if visible is None else [one.strip() for one in visible.split(",")]


def _read_gpus(visible: str | None) -> tuple[Memory, ...]:
    """Return the GPUs that CUDA_VISIBLE_DEVICES shows; none where there is no driver."""
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return ()
    try:
        entries = _entries(visible)
        if entries is None:
            entries = [str(number) for number in range(pynvml.nvmlDeviceGetCount())]
        return tuple(_read_gpu(number, handle) for number, handle in enumerate(_handles(entries)))
    except pynvml.NVMLError:
        return ()
    finally:
        pynvml.nvmlShutdown()


def _handles(entries: list[str]) -> list[object]:
    """Return NVML's handles; as in CUDA, the first entry that is no GPU ends the list."""
    everything = [
        pynvml.nvmlDeviceGetHandleByIndex(number) for number in range(pynvml.nvmlDeviceGetCount())
    ]
    handles: list[object] = []
    for entry in entries:
        if entry.isdigit() and int(entry) < len(everything):
            handles.append(everything[int(entry)])
        elif entry.startswith("MIG-"):
            handles.append(pynvml.nvmlDeviceGetHandleByUUID(entry))
        elif entry.startswith("GPU-"):
            found = [one for one in everything if pynvml.nvmlDeviceGetUUID(one).startswith(entry)]
            if len(found) != 1:
                break
            handles += found
        else:
            break
    return handles


def _read_gpu(number: int, handle: object) -> Memory:
    memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
    name = pynvml.nvmlDeviceGetName(handle)
    return Memory(f"GPU {number} ({name})", int(memory.free), int(memory.total))


def _read_host(root: Path) -> Memory:
    """Return the machine's memory, or its container's where that is less.

    Cached files count as free, as Linux gives their memory away when it is asked for.
    """
    memory = psutil.virtual_memory()
    free, total = int(memory.available), int(memory.total)
    for folder in _cgroup_folders(root, "memory"):
        limit = _number(folder / "memory.max") or _number(folder / "memory.limit_in_bytes")
        used = _number(folder / "memory.current") or _number(folder / "memory.usage_in_bytes")
        if limit and limit < total:
            total = limit
        if limit and used is not None:
            free = min(free, max(0, limit - used + _inactive_file(folder)))
    return Memory("this machine", min(free, total), total)


def _cgroup_folders(root: Path, controller: str) -> list[Path]:
    """Return the folders of this process's cgroup and those above it, of versions 1 and 2."""
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    folders: list[Path] = []
    base = root / "sys/fs/cgroup"
    for line in lines:
        _, names, path = line.split(":", 2)
        if names and controller not in names.split(","):
            continue
        top = base / controller if names else base
        inner = top / path.lstrip("/")
        folders += [inner, *(one for one in inner.parents if one.is_relative_to(top))]
    return [folder for folder in folders if folder.is_dir()]


def _number(file: Path) -> int | None:
    """Return the number in a file; None where there is none (`max`, or no such file)."""
    try:
        return int(file.read_text(encoding="utf-8").split()[0])
    except (OSError, ValueError, IndexError):
        return None


def _inactive_file(folder: Path) -> int:
    try:
        lines = (folder / "memory.stat").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    values = dict(line.split(" ", 1) for line in lines if " " in line)
    return int(values.get("total_inactive_file", values.get("inactive_file", 0)))


def _cpu_quota(root: Path) -> int | None:
    """Return the CPUs that a container may use at once, rounded up."""
    quotas = []
    for folder in _cgroup_folders(root, "cpu"):
        try:
            quota, period = (folder / "cpu.max").read_text(encoding="utf-8").split()
        except (OSError, ValueError):
            quota = str(_number(folder / "cpu.cfs_quota_us") or "max")
            period = str(_number(folder / "cpu.cfs_period_us") or 100_000)
        if quota.isdigit() and int(quota) > 0:
            quotas.append(-(-int(quota) // int(period)))
    return min(quotas, default=None)


@lru_cache(maxsize=1)
def _supports_offload() -> bool:
    """Ask llama.cpp, in a process of its own: here it would load its libraries for good."""
    reply = subprocess.run([sys.executable, "-c", _OFFLOAD], capture_output=True, text=True)
    return reply.stdout.split()[-1:] == ["True"]
