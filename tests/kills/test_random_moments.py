"""SIGKILL at random moments, with several orders under way at all doors: afterwards everything agrees."""

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.harness.orders import order
from tests.harness.site import Site
from tests.harness.ways import Way, by_a_batch, by_a_job_file, by_a_photo, by_http, by_the_queue, survives
from tests.kills.aftermath import Aftermath

ROUNDS = 12
WAYS: list[Way] = [by_http, by_a_job_file, by_a_photo, by_the_queue, by_a_batch]
LONGEST_SECONDS = 0.4  # from the orders to the kill: an order takes about 0.3 s
SETTINGS = {"MAX_IMAGES_PER_DAY": "5000", "EVENT_MAX_AGE_SECONDS": "90000", "CONTROL_SLEEPS": "1"}


def kill_workers(site: Site) -> int:
    """End what serves at this moment; gunicorn starts others. Return how many processes that were."""
    return sum(server.kill_workers() for server in site.all_doors())


def kill_instances(site: Site) -> int:
    """End every process, as lost machines do; other instances are started for the next order."""
    for server in site.all_doors():
        server.kill()
    return len(site.restart())


def one_round(site: Site, orders: list[tuple[str, Way]], kill: Callable[[Site], int]) -> tuple[int, int]:
    """Send orders, kill all processes amid that; return the processes killed and the orders that broke."""
    with ThreadPoolExecutor(len(orders)) as callers:
        answers = [
            callers.submit(survives, way, site, order(prompt), prompt.replace(" ", "-")) for prompt, way in orders
        ]
        time.sleep(random.uniform(0.0, LONGEST_SECONDS))
        killed = kill(site)
        return killed, sum(not answer.result() for answer in answers)


def ask_for_all(site: Site, orders: dict[str, Way]) -> None:
    """Send each order again."""
    with ThreadPoolExecutor(8) as callers:
        list(callers.map(lambda asked: asked[1](site, order(asked[0]), asked[0].replace(" ", "-")), orders.items()))


# who asks for an order of a worker that was killed waits at the next one for minutes: that is test_load's matter
@pytest.mark.parametrize(("kill", "copies"), [(kill_workers, 1), (kill_instances, 2)])
@pytest.mark.parametrize("api", ["v1", "v2"])
def test_kills_at_random_moments_leave_nothing_that_disagrees(
    site: Site, counts: Callable[[str], None], kill: Callable[[Site], int], copies: int, api: str
) -> None:
    """Each order has at most one bill and one slot, and ends as its image or unknown; what v2 wrote down is kept."""
    site = site.fresh().hasty(**SETTINGS, SEGMIND_API=api)
    site.get("/")
    site.sweep()  # a process does something first: what it imports and connects takes longer than an order
    site.segmind.settings.latency = 0.1
    orders: dict[str, Way] = {}
    kills = broken = 0
    for number in range(ROUNDS):
        batch = {f"{api} boat {number} {i}": random.choice([by_http, *WAYS]) for i in range(3)}
        orders |= batch
        killed, cut = one_round(site, [*batch.items()] * copies, kill)
        kills, broken = kills + killed, broken + cut
    assert site.ledger.settle()
    site.control.pass_time()
    ask_for_all(site, dict([*orders.items()][::2]))
    site.run_queued()
    site.sweep()
    after = Aftermath(site)
    counts(f"random {api} {kill.__name__}: {kills} kills, {broken} of {copies * len(orders)} broken, {after.totals}")
    assert kills >= 2 * ROUNDS
    assert broken > 0
    assert after.disagreements([*orders]) == []
    assert site.sweep()["lost"] == 0
    begun = [prompt for prompt in orders if after.of(prompt).ids]
    ask_for_all(site, orders)
    again = Aftermath(site)
    assert again.disagreements([*orders]) == []
    assert [again.of(prompt) for prompt in begun] == [after.of(prompt) for prompt in begun]
