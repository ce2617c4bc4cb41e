"""Runs of the simulation: by seed, by plan, by all plans; and the shortest story of one that fails."""

import io
import os
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from random import Random

from imagegen import log
from tests.simulation.decisions import Decisions, Plan
from tests.simulation.faults import FEW, OF_STEPS, Fault
from tests.simulation.scenario import Act, Scenario
from tests.simulation.scheduler import Stuck, Violation
from tests.simulation.world import World

_RATES = (  # how often what is ordinary does not happen: turns, calls beside others, faults, courses of calls, events
    {"turn": 0.05, "beside": 0.1, "fault": 0.02, "course": 0.1, "event": 0.2},
    {"turn": 0.3, "beside": 0.5, "fault": 0.01, "course": 0.2, "event": 0.3},
    {"turn": 0.1, "beside": 0.2, "fault": 0.05, "course": 0.2, "event": 0.3},
    {"turn": 0.1, "beside": 0.2, "fault": 0.12, "course": 0.3, "event": 0.5},
)
Faults = dict[str, tuple[Fault, ...]]


def counted(world: World) -> Counter[str]:
    """Return what was tried in a run."""
    made, calls = len(world.decisions.made), len(world.segmind.calls)
    return Counter(runs=1, steps=world.scheduler.steps, faults=world.faults, deviations=made, calls=calls)


@contextmanager
def quiet() -> Iterator[io.StringIO]:
    """Write no log but of bugs, and keep those."""
    before = dict(log._settings)
    log.configure("CRITICAL")
    try:
        with redirect_stdout(io.StringIO()) as lines:
            yield lines
    finally:
        log._settings.update(before)


@contextmanager
def on_one_core() -> Iterator[None]:
    """Keep the threads on one core: one runs at a time, and handing over is cheaper there."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {random.choice(sorted(before))})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def failure(world: World) -> str | None:
    """Run a world; return which promise it breaks, or that it has a bug; None where all is well."""
    with quiet() as lines:
        try:
            world.run()
        except (Violation, Stuck) as error:
            return f"{type(error).__name__}: {error}"
        return f"Violation: a bug: {lines.getvalue()}" if lines.getvalue() else None


def drawn(seed: int) -> World:
    """Return the world of a seed."""
    draw = Random(seed)
    scenario = Scenario.drawn(draw)
    return World(scenario, Decisions(random=draw, rates=draw.choice(_RATES)))


def run(runs: int, seed: int, totals: Counter[str]) -> str | None:
    """Run the worlds of so many seeds; return the story of the first that fails."""
    with on_one_core():
        for number in range(seed, seed + runs):
            world = drawn(number)
            failed = failure(world)
            totals.update(counted(world))
            if failed:
                return f"seed {number}: {told(*shrunk(world.scenario, world.decisions.made), OF_STEPS)}"
    return None


def every_order(version: str, turns: int, faults: int, totals: Counter[str]) -> str | None:
    """Run two instances that are asked for one key, with a cap of one, in every order with at most so many of both."""
    asked = Act("post", "a", 0), Act("post", "a", 1)
    return everything(Scenario(asked, version, per_day=1), turns, faults, totals)


def everything(scenario: Scenario, turns: int, faults: int, totals: Counter[str]) -> str | None:
    """Run a scenario with at most so many preemptions and faults, in every way; return the story of what fails."""
    plans: list[tuple[Plan, int, int]] = [({}, turns, faults)]
    while plans:
        plan, turns_left, faults_left = plans.pop()
        world = World(scenario, Decisions(plan=plan, seen=[]), FEW)
        failed = failure(world)
        totals.update(counted(world))
        if failed:
            return told(*shrunk(scenario, plan, FEW), FEW)
        seen = world.decisions.seen or []
        points = [point for point, _ in seen]
        last = max((points.index(point) for point in plan), default=-1)
        for point, options in seen[last + 1 :]:
            fault, turn = point[2] == "fault", point[2] in {"turn", "beside"}
            if (fault and faults_left) or (turn and turns_left):
                left = turns_left - turn, faults_left - fault
                plans += [({**plan, point: value}, *left) for value in range(1, options + 1)]
    return None


def shrunk(scenario: Scenario, plan: Plan, faults: Faults = OF_STEPS) -> tuple[Scenario, Plan]:
    """Return less of a scenario and of a plan that still fails: no act and no deviation can be left out."""

    def fails(scenario: Scenario, plan: Plan) -> bool:
        return failure(World(scenario, Decisions(plan=plan), faults)) is not None

    smaller = True
    while smaller:
        smaller = False
        for number, act in enumerate(scenario.acts):
            acts = (*scenario.acts[:number], replace(act, kind="nothing"), *scenario.acts[number + 1 :])
            if act.kind != "nothing" and fails(replace(scenario, acts=acts), plan):
                scenario, smaller = replace(scenario, acts=acts), True
        for point in list(plan):
            less = {other: value for other, value in plan.items() if other != point}
            if fails(scenario, less):
                plan, smaller = less, True
    return scenario, plan


def told(scenario: Scenario, plan: Plan, faults: Faults = OF_STEPS) -> str:
    """Return what happens, line by line, and how to see it again."""
    story: list[str] = []
    failed = failure(World(scenario, Decisions(plan=plan), faults, story))
    return "\n".join([f"{failed}", *story, f"{scenario!r},", f"{plan!r},"])
