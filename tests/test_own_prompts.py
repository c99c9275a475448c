"""Folders of one's own prompts, and the stop strings that they may have."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from masking import open_masked_run, step_of, tell

from generation_functions import stages
from generation_functions.engine.protocol import Request
from generation_functions.steps.prompts import PROMPTS, load_prompt

TEXTS = {"north": {f"Bridge {n}": tell(n) for n in range(4)}}
STEPS = {"tell_lack": "rag_data", "write_correction": "correction_pipeline"}


def write_own(folder: Path, step: str, more: str) -> None:
    folder.mkdir(exist_ok=True)
    text = (PROMPTS / f"{step}.yaml").read_text(encoding="utf-8")
    (folder / f"{step}.yaml").write_text(text + more, encoding="utf-8")


def ask(folder: Path, step: str, **sections: Any) -> list[Request]:
    """Return the requests of a step whose own prompt has a stop string."""
    write_own(folder / "own", step, 'stop: ["###"]\n')
    rag = {"enabled": True, "rag_failure_percentage": 1.0, **sections.pop("rag_data", {})}
    correction = {
        "enabled": True,
        "stand_firm_share": 0.0,
        **sections.pop("correction_pipeline", {}),
    }
    run, engine = open_masked_run(
        folder, TEXTS, rag_data=rag, correction_pipeline=correction, **sections
    )
    write = stages.write_rag_items if step == "tell_lack" else stages.write_corrections
    asyncio.run(write(run))
    return [one for one in engine.requests if step_of(one) == step]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("own", [None, False])
def test_masked_sections_say_whether_stop_strings_are_used(
    tmp_path: Path, prompts_once: None, step: str, own: bool | None
) -> None:
    name = "rag_use_stop" if step == "tell_lack" else "correction_use_stop"
    asked = ask(tmp_path, step, path={"prompts": "own"}, **{STEPS[step]: {name: own}})
    assert asked
    assert {one.stop for one in asked} == {("###",) if own is None else ()}


def test_default_prompts_stand_behind_ones_own_and_before_the_programs(tmp_path: Path) -> None:
    asked = ask(tmp_path, "tell_lack", path={"default_prompts": "own"})
    assert {one.stop for one in asked} == {("###",)}
    write_own(tmp_path / "first", "tell_lack", 'stop: ["!!!"]\n')
    prompt = load_prompt("tell_lack", (tmp_path / "first", tmp_path / "own"))
    assert prompt.content.stop == ("!!!",)
