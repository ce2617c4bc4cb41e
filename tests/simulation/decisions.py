"""Every choice of a run: drawn by a seed, or as a plan says. What was not ordinary is written down, and is the plan."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import TypeAlias

Point: TypeAlias = tuple[str, int, str]  # a task, its n-th step, and what is chosen there
Plan: TypeAlias = dict[Point, int]


@dataclass(slots=True)
class Decisions:
    """Chooses at each point between the ordinary course (0) and as many deviations as there are."""

    plan: Mapping[Point, int] = field(default_factory=dict)
    random: Random | None = None
    rates: Mapping[str, float] = field(default_factory=dict)  # how probable a deviation is, by what is chosen
    made: Plan = field(default_factory=dict)
    seen: list[tuple[Point, int]] | None = None  # every point with its number of deviations, where they are asked for
    quiet: bool = False  # only the ordinary course from now on

    def choose(self, task: str, step: int, what: str, options: int) -> int:
        """Return 0, or the number of a deviation, from 1 to `options`."""
        if self.quiet or not options:
            return 0
        if self.random is not None:
            if self.random.random() >= self.rates[what]:
                return 0
            value = 1 + int(self.random.random() * options)
        else:
            value = min(self.plan.get((task, step, what), 0), options)
            if self.seen is not None:
                self.seen.append(((task, step, what), options))
        if value:
            self.made[task, step, what] = value
        return value
