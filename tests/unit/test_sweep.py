"""The sweep over a bucket in memory, where time is what the test says."""

import json
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from imagegen.errors import RejectedBySegmind, SegmindFailed
from imagegen.model import Claim, Order
from imagegen.pipeline.claims import new_claim
from imagegen.ports import Deadline, StillGenerating
from tests.harness.fakes import REQUEST, Crash, Scene, World

NOTHING = {"finished": 0, "lost": 0, "running": 0, "freed": 0, "slotsFreed": 0, "errors": 0}


@dataclass
class Swept:
    """A world with a sweep over it."""

    world: World = field(default_factory=lambda: World(per_day=10))

    def __post_init__(self) -> None:
        self.sweep = self.world.sweep.run

    def crash(self, *scenes: Scene, key: str = "key-1") -> None:
        """Let an instance die on the way to one image, as the scene says."""
        self.world.generator.scenes = list(scenes) or [Scene(raised=Crash())]
        with pytest.raises(Crash):
            self.world.ask(key)
        self.world.objects.recover()

    def slot(self, claim: Claim, name: str = "7") -> None:
        """Leave a slot of today that a claim took."""
        taker = {"id": claim.id, "token": claim.token}
        day = f"{self.world.clock.now():%Y-%m-%d}"
        self.world.objects.create(
            f"spend/{day}/{name}", json.dumps(taker).encode(), "application/json", self.soon, taker
        )

    def claim(self, key: str = "key-1") -> Claim:
        return new_claim(Order(REQUEST, "http", "", key), self.world.clock.now(), self.world.limits.lease_seconds)

    @property
    def soon(self) -> Deadline:
        return Deadline.within(self.world.clock, 10)


@pytest.mark.parametrize(("early", "counted"), [(1, "running"), (0, "lost")])
def test_a_lease_holds_to_its_last_second(early: float, counted: str) -> None:
    """A second before its end the claim is somebody's; at its end it is lost."""
    swept = Swept()
    swept.crash(Scene(raised=Crash(), seconds=0.0))
    swept.world.clock.advance(swept.world.limits.lease_seconds - early)
    assert swept.sweep() == NOTHING | {counted: 1}


def test_a_second_sweep_has_nothing_to_do() -> None:
    """What ended has ended."""
    swept = Swept()
    swept.crash()
    swept.world.end_lease()
    assert swept.sweep() == NOTHING | {"lost": 1}
    before = swept.world.objects.names()
    assert swept.sweep() == NOTHING
    assert swept.world.objects.names() == before


@pytest.mark.parametrize(
    ("resumed", "counted", "left"),
    [
        (Scene(seconds=0.0), "finished", ["claim.json", "image.jpg", "result.json", "submitted.json"]),
        (Scene(raised=StillGenerating()), "running", ["claim.json", "submitted.json"]),
        (Scene(raised=SegmindFailed("x")), "freed", []),
        (Scene(raised=RejectedBySegmind("x")), "finished", ["claim.json", "result.json", "submitted.json"]),
        (Scene(raised=RuntimeError("x")), "errors", ["claim.json", "submitted.json"]),
    ],
)
def test_a_submitted_generation_is_asked_about(resumed: Scene, counted: str, left: list[str]) -> None:
    """Whatever Segmind says of it has its word among the counts and its state in the bucket; nothing is bought."""
    swept = Swept()
    swept.crash(Scene(raised=Crash(), submits="seg-1"))
    swept.world.generator.resumes = [resumed]
    swept.world.end_lease()
    assert swept.sweep()[counted] == 1
    assert swept.world.left() == left
    assert len(swept.world.generator.bought) == 1


def test_one_broken_job_does_not_stop_the_rest() -> None:
    """Of three wrecks the one that cannot be resumed is an error; the others end."""
    swept = Swept()
    for key in ("a", "b", "c"):
        swept.crash(Scene(raised=Crash(), submits=f"seg-{key}"), key=key)
    swept.world.generator.resumes = [Scene(raised=RuntimeError("x"))]
    swept.world.end_lease()
    assert swept.sweep() == NOTHING | {"errors": 1, "finished": 2}


@pytest.mark.parametrize(("days", "freed"), [(0, 1), (1, 1), (2, 0)])
def test_slots_of_yesterday_count_too(days: int, freed: int) -> None:
    """A slot taken before midnight is freed after it; older days are over, and nobody needs their slots."""
    swept = Swept()
    swept.slot(swept.claim())
    swept.world.clock.advance(max(timedelta(days=days).total_seconds(), 3600))
    assert swept.sweep()["slotsFreed"] == freed


@pytest.mark.parametrize(("early", "freed"), [(1, 0), (0, 1)])
def test_a_slot_is_as_old_as_a_lease_before_it_is_judged(early: float, freed: int) -> None:
    """Before that its claim may still be about to be read by somebody else."""
    swept = Swept()
    swept.slot(swept.claim())
    swept.world.clock.advance(swept.world.limits.lease_seconds - early)
    assert swept.sweep()["slotsFreed"] == freed


def test_the_slot_of_a_claim_that_runs_again_is_kept() -> None:
    """A key that was freed and taken again: the old claim's slot goes, the new one's stays."""
    swept = Swept()
    swept.slot(swept.claim(), "left-over")
    swept.world.end_lease()
    swept.world.generator.scenes = [Scene(seconds=0.0, meanwhile=lambda: seen.append(swept.sweep()))]
    seen: list[dict[str, int]] = []
    swept.world.ask()
    assert seen == [NOTHING | {"running": 1, "slotsFreed": 1}]
    assert len(swept.world.slots()) == 1
    assert [name for name in swept.world.slots() if name.endswith("left-over")] == []


def test_slots_that_storage_keeps_are_for_the_next_sweep() -> None:
    """A delete that fails frees nothing, and says so."""
    swept = Swept()
    swept.slot(swept.claim())
    swept.world.end_lease()
    swept.world.objects.fail("delete", times=1)
    assert [swept.sweep()["slotsFreed"] for _ in range(2)] == [0, 1]
    assert swept.world.slots() == []
