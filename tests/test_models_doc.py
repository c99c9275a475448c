"""docs/models.md says what the code says: its tables are the planner's, its roles the steps'."""

import re
from pathlib import Path

from benchmarks.model_memory import MODELS, list_needs, list_slots, make_tables
from generation_functions.checking import STEPS

DOC = (Path(__file__).parents[1] / "docs" / "models.md").read_text(encoding="utf-8")
ALSO = {"clean_pdf": "small, or `pdf_cleaning.role`"}


def test_the_memory_tables_are_those_of_the_planner() -> None:
    (shown,) = re.findall(r"<!-- memory -->\n(.*?)\n<!-- end -->", DOC, re.DOTALL)
    assert shown == make_tables(), "run `python -m benchmarks.model_memory` and put it there"


def test_every_step_stands_once_beside_its_role() -> None:
    cells = (line.split(" | ") for line in DOC.splitlines())
    rows = [row for row in cells if len(row) == 4 and row[1].startswith("`")]
    listed = [(name, row[2]) for row in rows for name in re.findall(r"`(\w+)`", row[1])]
    roles = dict(listed)
    assert roles == {step.name: ALSO.get(step.name, step.role) for step in STEPS}
    assert len(listed) == len(roles)


def test_a_larger_model_needs_more_and_has_fewer_slots() -> None:
    needs = [float(list_needs(one)[3].split()[0]) for one in MODELS]
    assert needs == sorted(needs)
    slots = [int(list_slots(one)[5].replace("–", "0")) for one in MODELS]
    assert slots == sorted(slots, reverse=True)
