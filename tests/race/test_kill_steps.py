"""SIGKILL before and after every step of the pipeline, then the same key again: never a second bill.

The steps come from a dry run, so a step that somebody adds is covered as soon as it is there.
"""

from collections import Counter
from dataclasses import dataclass, field
from itertools import product

import pytest
import requests

from mock_segmind import FakeSegmind
from tests.harness.bucket import Results
from tests.harness.orders import order
from tests.harness.server import FunctionServer
from tests.race.conftest import Mortals
from tests.race.killing import When

BEYOND_THE_LEASE = 3_600.0
CAP = 100_000  # so many slots that no two keys ever try the same one, which would shift the steps


@dataclass(frozen=True, slots=True)
class Scenario:
    """One way through the pipeline: its end if nobody dies, and a few of the steps that it must have."""

    name: str
    magic: str
    end: str
    steps: tuple[str, ...]
    settings: dict[str, str] = field(default_factory=dict)


SCENARIOS = [
    Scenario("v1 succeeds", "", "succeeded", ("create image.jpg", "create result.json", "generate", "read", "sign")),
    Scenario("v1 is refused", "[mock:400]", "rejected-by-segmind", ("generate", "create result.json", "delete")),
    Scenario("v1 costs nothing", "[mock:500]", "segmind-failed", ("generate", "delete claim.json", "delete")),
    Scenario("v1 is no image", "[mock:ok-html]", "segmind-bad-image", ("create rejected", "create result.json")),
    Scenario("v1 is unknown", "[mock:reset]", "outcome-unknown", ("generate", "create lost.json")),
    Scenario("v2 succeeds", "", "succeeded", ("create submitted.json", "create image.jpg"), {"SEGMIND_API": "v2"}),
    Scenario(
        "v2 costs nothing", "[mock:v2-failed]", "segmind-failed", ("delete submitted.json",), {"SEGMIND_API": "v2"}
    ),
]


class Trial:
    """One key, one death, and what became of it."""

    def __init__(self, server: FunctionServer, mortals: Mortals, segmind: FakeSegmind, results: Results) -> None:
        self.server, self.control, self.segmind, self.results = server, mortals.control, segmind, results

    def post(self, key: str, magic: str) -> str:
        """Return how the image stands, as one word."""
        answer = self.server.post(order(f"boat {key} {magic}"), key)
        found = answer.json()
        if answer.status_code == 200:
            assert requests.get(found["image"]["url"], timeout=10).headers["Content-Type"] == "image/jpeg"
        return str(found["status"] if answer.status_code in {200, 202} else found["code"])

    def die(self, key: str, magic: str, step: int, when: When) -> None:
        """Have the process die at that step of this key's first request."""
        self.control.kill(step, when)
        with pytest.raises(requests.ConnectionError):
            self.server.post(order(f"boat {key} {magic}"), key)
        assert self.control.has_killed
        assert self.segmind.ledger.settle()

    def left(self, key: str) -> list[str]:
        """Return what the death left in the key's folder; keys are asked for in turn, so the newest is its own."""
        jobs = {image_id: names for image_id, names in self.results.jobs().items() if image_id not in self._before}
        assert len(jobs) <= 1, key
        return next(iter(jobs.values()), [])

    def note(self) -> None:
        """Remember the jobs of earlier keys."""
        self._before = set(self.results.jobs())

    def calls(self, key: str) -> tuple[int, int]:
        """Return how often the vendor was asked for this key's image, and how often it billed it."""
        own = [entry for entry in self.segmind.ledger.generations() if entry.prompt.startswith(f"boat {key} ")]
        return len(own), sum(bool(entry.billed) for entry in own)


def check_one_death(trial: Trial, scenario: Scenario, key: str, step: int, when: When) -> str:
    """Kill, ask before the lease ends, ask after it, ask once more; return the end."""
    trial.note()
    trial.die(key, scenario.magic, step, when)
    left, (calls, _) = trial.left(key), trial.calls(key)
    soon = trial.post(key, scenario.magic)
    ended = {"result.json", "lost.json"} & set(left)
    assert soon == ("running" if left and not ended else scenario.end)
    trial.control.be_ahead(BEYOND_THE_LEASE)
    late, again = trial.post(key, scenario.magic), trial.post(key, scenario.magic)
    assert late == again
    assert late in {scenario.end, "outcome-unknown"}
    if {"image.jpg", "submitted.json"} & set(left) or not left or ended:
        assert late == scenario.end, (left, late)
    may_have_cost = bool(left) and calls > 0 and scenario.end != "segmind-failed"
    assert trial.calls(key)[0] == calls or not may_have_cost
    assert trial.calls(key)[1] <= 1
    assert trial.calls(key)[1] == 1 or late != "succeeded"
    return late


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario.name for scenario in SCENARIOS])
def test_a_death_at_any_step_is_never_billed_twice(
    mortals: Mortals, segmind: FakeSegmind, results: Results, scenario: Scenario
) -> None:
    """For each step, before and after it: the same key ends as the contract says, with one bill at most."""
    server = mortals.start(MAX_IMAGES_PER_DAY=str(CAP), **scenario.settings)
    trial = Trial(server, mortals, segmind, results)
    assert trial.post("dry-run", scenario.magic) == scenario.end
    steps = mortals.control.steps
    assert all(any(expected in step for step in steps) for expected in scenario.steps), steps
    moments: list[tuple[int, When]] = list(product(range(len(steps)), ("before", "after")))
    ends = [check_one_death(trial, scenario, f"{n}-{when}", n, when) for n, when in moments]

    jobs, billed, slots = results.jobs(), len(segmind.ledger.billed()), len(results.slots())
    images = [names for names in jobs.values() if "image.jpg" in names]
    unknown = [names for names in jobs.values() if "lost.json" in names and "result.json" not in names]
    rejected = [names for names in jobs.values() if "rejected" in names and "result.json" in names]
    assert all("result.json" in names for names in images)
    assert all({"result.json", "lost.json"} & set(names) for names in jobs.values())
    assert billed <= slots
    # two deaths lie between the claim and its slot, two between an end that cost nothing and its slot's return
    assert abs(slots - len(images) - len(unknown) - len(rejected)) <= 2
    print(  # noqa: T201 - the numbers are the point
        f"\n{scenario.name}: {len(steps)} steps, {len(moments)} kills → {dict(Counter(ends))}; "
        f"vendor calls {len(segmind.ledger.generations())}, billed {billed}, images {len(images)}, "
        f"unknown {len(unknown)}, rejected {len(rejected)}, slots {slots}"
    )
    mortals.function.expect_killed_workers(server)
