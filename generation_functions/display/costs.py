"""What a run's models have read and written so far, by role and by step."""

from pathlib import Path

from generation_functions.costs import cost_rows, read_costs
from generation_functions.display.markup import Html, folded, join
from generation_functions.display.tables import show_table

_NONE = "No model has been asked yet."


def show_costs(folder: Path) -> Html:
    """Return a row for each model role, and folded below a row for each of its steps.

    Costs are in the currency of the prices that the config has, if it has any.
    """
    costs = read_costs(folder)
    steps = (
        folded(
            f"{one['role']}: by step",
            show_table([{"step": name, **entry} for name, entry in one["steps"].items()]),
        )
        for one in costs
    )
    return join([show_table(cost_rows(costs), empty=_NONE), *steps])
