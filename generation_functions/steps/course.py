"""Which calls led to what a stage keeps: each item of a `map` has a course, on which they stand.

A course lies in the context of its item's task, so that pipelines need not carry it along.
"""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TypeVar

from generation_functions.steps.step import Item

I = TypeVar("I", bound=Item)
R = TypeVar("R")
CallName = tuple[str, str]  # a step's name, an item's uuid


@dataclass(slots=True)
class _Course:
    """The calls that were made for an item so far; `above` is the item that it is a part of."""

    item: str
    above: "_Course | None"
    calls: list[CallName] = field(default_factory=list)


_COURSE: ContextVar[_Course | None] = ContextVar("course", default=None)


class Fork:
    """The courses of one map's items.

    Each sees what was asked for the items above it, and nothing of its neighbours. What is
    asked after all have ended, for the item above, follows from all that were not dropped.
    """

    def __init__(self) -> None:
        self._above = _COURSE.get()
        self._ended: list[CallName] = []

    def follow(self, function: Callable[[I], Awaitable[R]]) -> Callable[[I], Awaitable[R]]:
        """Return the function, which begins a course for each item; each runs in its own task."""

        async def go(item: I) -> R:
            course = _Course(item.uuid, self._above)
            _COURSE.set(course)
            result = await function(item)
            if self._above:
                self._ended += course.calls
            return result

        return go

    def join(self) -> None:
        """Let the calls of all items lead to what comes after them."""
        if self._above:
            self._above.calls += self._ended


def note_call(step: str, uuid: str) -> None:
    """Note a call on the course of the item that it was made for, if there is one."""
    course = _COURSE.get()
    if course:
        course.calls.append((step, uuid))


def first_above(uuid: str) -> str:
    """Return the uuid of the item that the current ones began with; `uuid` where there is none."""
    course = _COURSE.get()
    while course:
        uuid, course = course.item, course.above
    return uuid


def calls_so_far() -> list[CallName]:
    """Return each call that was made for the current item and those above it, once, in order."""
    course, courses = _COURSE.get(), list[list[CallName]]()
    while course:
        courses.append(course.calls)
        course = course.above
    return list(dict.fromkeys(call for calls in reversed(courses) for call in calls))
