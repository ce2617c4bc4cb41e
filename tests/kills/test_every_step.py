"""SIGKILL before and after every step of every door, v1 and v2; then everything is asked for again.

A step is a call of a port: storage, vendor, signer. A dry run counts them, so a new one is covered once it is there.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import product
from typing import get_args

import pytest
import requests

from tests.harness.control import When
from tests.harness.orders import Body, order
from tests.harness.site import Site
from tests.harness.ways import Way, by_a_batch, by_a_job_file, by_a_photo, by_http, by_the_queue, survives
from tests.kills.aftermath import FREE, UNKNOWN, Aftermath, Traces

SETTINGS = {"MAX_IMAGES_PER_DAY": "100000", "EVENT_MAX_AGE_SECONDS": "90000", "SEGMIND_TIMEOUT_SECONDS": "5"}
LOST = {(0, 0), (1, 0), (1, 1)}  # slot and bill of what ends as unknown: dies before the slot, the call, the image
_SLOTS_KNOWN = 8  # two listings of the day, of a cap and of the account, that a process makes once

RUNS = ("first", "dry")  # a process does more for its first order; most victims come to one that has had one


@dataclass(frozen=True, slots=True)
class Row:
    """One way through the pipeline: its end where no process dies, and some of the steps that it must have."""

    way: Way
    api: str
    end: str = "succeeded"
    magic: str = ""
    steps: tuple[str, ...] = ()
    lost: set[tuple[int, int]] = field(default_factory=lambda: LOST)

    @property
    def name(self) -> str:
        return f"{self.way.__name__} {self.api} {self.end}"

    def body(self, name: str) -> Body:
        return order(f"boat {name} {self.magic}".strip())


STORED = ("create image.jpg", "create result.json")
ROWS = [
    Row(by_http, "v1", steps=(*STORED, "generate", "read", "sign")),
    Row(by_http, "v1", "rejected-by-segmind", "[mock:400]", ("generate", "create result.json", "delete")),
    Row(by_http, "v1", "segmind-failed", "[mock:500]", ("generate", "delete claim.json", "delete")),
    Row(by_http, "v1", "segmind-bad-image", "[mock:ok-html]", ("create rejected", "create result.json")),
    Row(by_http, "v1", UNKNOWN, "[mock:reset]", ("generate", "create lost.json")),
    Row(by_http, "v2", steps=("create submitted.json", *STORED)),
    Row(by_http, "v2", "segmind-failed", "[mock:v2-failed]", ("delete submitted.json",)),
    *(Row(way, api, steps=STORED) for way, api in product((by_a_job_file, by_a_photo), ("v1", "v2"))),
    *(Row(way, api, steps=("create",), lost=set()) for way, api in product((by_the_queue, by_a_batch), ("v1", "v2"))),
]


@dataclass(frozen=True, slots=True)
class Victim:
    """An order whose process died: what it left then, and how often the vendor was called for it."""

    key: str
    body: Body
    left: list[str]
    calls: int
    killed: bool


def calls(site: Site, body: Body) -> int:
    return sum(entry.prompt == body["promptText"] for entry in site.ledger.generations())


def kill(site: Site, row: Row, number: int, when: When) -> Victim:
    """Let the process that an order comes to die at this step, or after its answer where it has fewer steps."""
    before, key = site.results.jobs(), f"{number}-{when}"
    site.control.doom(number, when)
    killed = not survives(row.way, site, row.body(key), key) or site.control.kills_within(0.5)
    assert killed == site.control.has_killed
    assert site.ledger.settle()
    site.rest()
    jobs = [names for image_id, names in site.results.jobs().items() if image_id not in before]
    assert len(jobs) <= 1
    left = [name for names in jobs for name in names]
    return Victim(key, row.body(key), left, calls(site, row.body(key)), killed)


def ask_under_the_lease(site: Site, row: Row, victim: Victim) -> None:
    """Who asks again while the lease may hold changes nothing that was begun, and gets what was not."""
    row.way(site, victim.body, victim.key)
    found = Aftermath(site).of(victim.body["promptText"])
    if victim.left and not is_over(victim):
        assert found.names == victim.left
        assert calls(site, victim.body) == victim.calls
        assert site.show(found.ids[0])["status"] == "running"


def is_over(victim: Victim) -> bool:
    return bool({"result.json", "lost.json"} & set(victim.left))


def check(site: Site, row: Row, victim: Victim, found: Traces) -> None:
    """Look at one order after everything was recovered."""
    assert (found.end == FREE) <= (row.end == "segmind-failed" or not victim.calls), (victim, found)
    saved = {"image.jpg", "submitted.json"} & set(victim.left)
    if saved or not victim.left or is_over(victim):
        assert found.end != UNKNOWN or row.end == UNKNOWN, (victim, found)
    if victim.left and victim.calls and row.end != "segmind-failed":
        assert calls(site, victim.body) == victim.calls, victim
    if found.end == "succeeded":
        url = site.show(found.ids[0])["image"]["url"]
        assert requests.get(url, timeout=10).headers["Content-Type"] == "image/jpeg"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_kill_at_any_step_leaves_nothing_that_disagrees(hasty: Site, counts: Callable[[str], None], row: Row) -> None:
    """At every step: most one bill, a slot for it, and its end or an unknown one; v2 is finished."""
    site = hasty(**SETTINGS, SEGMIND_API=row.api)
    for name in RUNS:
        site.control.watch()
        row.way(site, row.body(name), name)
    steps = site.control.steps
    assert all(any(expected in step for step in steps) for expected in row.steps), steps
    victims = []
    for number, when in product(range(len(steps)), get_args(When)):
        victims.append(kill(site, row, number, when))
        ask_under_the_lease(site, row, victims[-1])
    assert sum(victim.killed for victim in victims) >= 2 * len(steps) - _SLOTS_KNOWN

    site.control.pass_time()
    for victim in victims[::2]:
        row.way(site, victim.body, victim.key)
    site.run_queued()
    site.sweep()
    after, prompts = Aftermath(site), [victim.body["promptText"] for victim in victims]
    counts(f"{row.name}: {len(victims)} kills at {len(steps)} steps, {after.totals}")
    assert after.disagreements(dict.fromkeys([*(row.body(n)["promptText"] for n in RUNS), *prompts], row.end)) == []
    found = [after.of(prompt) for prompt in prompts]
    for victim, traces in zip(victims, found, strict=True):
        check(site, row, victim, traces)
    if row.end == "succeeded":
        lost = {(traces.slots, traces.billed) for traces in found if traces.end == UNKNOWN}
        assert lost <= row.lost
        assert (1, 1) in lost or (1, 1) not in row.lost
    assert site.sweep()["lost"] == 0
    for victim, traces in zip(victims, found, strict=True):
        if traces.end != FREE:
            row.way(site, victim.body, victim.key)
    assert Aftermath(site).totals == after.totals
