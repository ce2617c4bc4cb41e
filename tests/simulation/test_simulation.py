"""The real core under many interleavings and faults: at random, and every one of a small case."""

import os
from collections import Counter
from collections.abc import Callable

import pytest

from tests.simulation.decisions import Decisions
from tests.simulation.faults import OF_STEPS
from tests.simulation.regressions import REGRESSIONS
from tests.simulation.story import counted, drawn, every_order, failure, run, told
from tests.simulation.world import World

RUNS = int(os.environ.get("SIMULATION_RUNS", "20000"))
SEED = int(os.environ.get("SIMULATION_SEED", "10001"))  # `make torture` draws one
PARTS = 4  # for the workers of xdist


@pytest.mark.parametrize("part", range(PARTS))
def test_every_promise_holds_at_random(part: int, counts: Callable[[str], None]) -> None:
    """A few orders, sweeps, deletions and deployments on three instances, with faults of every kind."""
    totals, seed = Counter[str](), SEED + part * RUNS // PARTS
    story = run(RUNS // PARTS, seed, totals)
    counts(f"simulation, seed {seed}: {dict(totals)}")
    assert story is None, story


@pytest.mark.parametrize(("turns", "faults"), [(2, 0), (1, 1)])
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_every_promise_holds_in_every_order(
    version: str, turns: int, faults: int, counts: Callable[[str], None]
) -> None:
    """All interleavings of two instances and one key with so many preemptions and so many faults."""
    totals = Counter[str]()
    story = every_order(version, turns, faults, totals)
    counts(f"simulation of everything, {version}, {turns} preemptions, {faults} faults: {dict(totals)}")
    assert story is None, story


@pytest.mark.parametrize("name", REGRESSIONS)
def test_what_was_found_once(name: str) -> None:
    """Each failed before the core was mended."""
    scenario, plan = REGRESSIONS[name]
    world = World(scenario, Decisions(plan=plan))
    assert failure(world) is None, told(scenario, plan, OF_STEPS)
    assert world.decisions.made == plan


def test_a_run_is_the_same_again() -> None:
    """The plan of a random run does what that run did, step by step."""
    for seed in range(SEED, SEED + 20):
        world = drawn(seed)
        assert failure(world) is None
        repeated = World(world.scenario, Decisions(plan=world.decisions.made))
        assert failure(repeated) is None
        assert counted(repeated) == counted(world)
