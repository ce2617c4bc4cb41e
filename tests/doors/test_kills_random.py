"""SIGKILL at random moments, with several orders under way at two doors: afterwards everything agrees."""

import os
import random
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from local.storage import StorageServer
from mock_segmind import FakeSegmind
from tests.doors.conftest import Doors
from tests.doors.control import Control
from tests.doors.trials import Aftermath
from tests.doors.ways import WAYS, Way, World, survives
from tests.harness.server import FunctionServer

ROUNDS = 50
AT_ONCE = 3
LONGEST_SECONDS = 0.4  # from the orders to the kill: an order takes about 0.3 s
SETTINGS = {"MAX_IMAGES_PER_DAY": "5000", "EVENT_MAX_AGE_SECONDS": "90000"}


def kill_workers(server: FunctionServer) -> int:
    """Kill whatever serves at this moment, at once; return how many processes that were."""
    killed = 0
    for pid in server.workers():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            killed += 1
    return killed


def one_round(world: World, orders: list[tuple[Way, str]]) -> tuple[int, int]:
    """Send orders, kill all processes in the middle; return the processes killed and the orders that broke."""
    servers = [world.deployment.http, world.deployment.events, world.deployment.schedule]
    with ThreadPoolExecutor(AT_ONCE) as callers:
        answers = [callers.submit(survives, way, world, prompt) for way, prompt in orders]
        time.sleep(random.uniform(0.0, LONGEST_SECONDS))
        killed = sum(kill_workers(server) for server in servers)
        return killed, sum(not answer.result() for answer in answers)


def warm(world: World) -> None:
    """Let each process do something first: what they import and connect takes longer than an order."""
    world.deployment.http.get("/")
    world.deployment.schedule.sweep()


@pytest.mark.parametrize("api", ["v1", "v2"])
def test_kills_at_random_moments_leave_nothing_that_disagrees(
    controlled: Doors,
    control: Control,
    segmind: FakeSegmind,
    storage: StorageServer,
    counts: Callable[[str], None],
    api: str,
) -> None:
    """Each order has at most one bill and one slot, and ends as its image or unknown; what v2 wrote down is kept."""
    world = World(controlled(**SETTINGS, SEGMIND_API=api), storage).start()
    warm(world)
    segmind.settings.latency = 0.1
    orders: dict[str, Way] = {}
    kills = broken = 0
    for number in range(ROUNDS):
        batch = [(random.choice(WAYS), f"{api} boat {number} {i}") for i in range(AT_ONCE)]
        orders |= {prompt: way for way, prompt in batch}
        killed, cut = one_round(world, batch)
        kills, broken = kills + killed, broken + cut
    assert segmind.ledger.settle()
    control.pass_time()
    for prompt, way in list(orders.items())[::2]:
        way.ask(world, prompt)
    world.deliver_what_waits()
    world.deployment.schedule.sweep()
    after = Aftermath(storage, segmind)
    counts(f"random {api}: {kills} kills, {broken} of {len(orders)} orders broken, {after.totals}")
    assert kills >= 2 * ROUNDS
    assert broken > 0
    assert after.disagreements(list(orders)) == []
    assert world.deployment.schedule.sweep()["lost"] == 0
