"""The sweep over a bucket in memory, where time is what the test says."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from imagegen.errors import RejectedBySegmind, SegmindFailed
from imagegen.ports import StillGenerating
from tests.harness.fakes import Crash, Scene, World

NOTHING = dict.fromkeys(
    ("finished", "settled", "lost", "unknown", "freed", "running", "queued", "closed", "deleted", "errors"), 0
)


@dataclass
class Swept:
    """A world with a sweep over it."""

    world: World = field(default_factory=lambda: World(per_day=10))

    def __post_init__(self) -> None:
        self.sweep = self.world.sweep.run

    def crash(self, *scenes: Scene, key: str = "key-1") -> None:
        """Let an instance die on the way to one image, as the scene says."""
        self.world.generator.scenes = list(scenes) or [Scene(raised=Crash())]
        self.world.dies(key)
        self.world.objects.recover()

    def die_before_sending(self, key: str = "key-1") -> None:
        """Let an instance die with a slot in its hand and without a `sent.json`."""
        self.world.objects.fail("create", "*/sent.json")
        self.world.objects.fail("delete", "spend/*", error=Crash)
        self.crash(Scene(), key=key)


@pytest.mark.parametrize(("early", "counted"), [(1, "running"), (0, "lost")])
def test_a_lease_holds_to_its_last_second(early: float, counted: str) -> None:
    """A second before its end the claim holds; at its end it is lost."""
    swept = Swept()
    swept.crash(Scene(raised=Crash(), seconds=0.0))
    swept.world.clock.advance(swept.world.limits.lease_seconds - early)
    assert swept.sweep() == NOTHING | {counted: 1}


def test_a_second_sweep_changes_nothing() -> None:
    """An unknown stays open, since Segmind's history may still tell; what ended has ended."""
    swept = Swept()
    swept.crash()
    swept.world.end_lease()
    assert swept.sweep() == NOTHING | {"lost": 1}
    before = swept.world.objects.names()
    assert swept.sweep() == NOTHING | {"unknown": 1}
    assert swept.world.objects.names() == before


@pytest.mark.parametrize(
    ("resumed", "counted", "left"),
    [
        (Scene(seconds=0.0), "finished", ["claim.json", "image.jpg", "result.json", "sent.json", "submitted.json"]),
        (Scene(raised=StillGenerating()), "running", ["claim.json", "sent.json", "submitted.json"]),
        (Scene(raised=SegmindFailed("x")), "freed", []),
        (
            Scene(raised=RejectedBySegmind("x")),
            "finished",
            ["claim.json", "result.json", "sent.json", "submitted.json"],
        ),
        (Scene(raised=RuntimeError("x")), "errors", ["claim.json", "sent.json", "submitted.json"]),
    ],
)
def test_a_submitted_generation_is_asked_about(resumed: Scene, counted: str, left: list[str]) -> None:
    """Each answer of Segmind's has its word among the counts and its state in the bucket; nothing is bought."""
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


@pytest.mark.parametrize("days", [0, 1, 2])
def test_a_slot_that_was_taken_for_nothing_is_freed(days: int) -> None:
    """Its instance died before the call: key and slot are free after the lease, on whichever day it is swept."""
    swept = Swept()
    swept.die_before_sending()
    assert len(swept.world.slots()) == 1
    swept.world.clock.advance(max(timedelta(days=days).total_seconds(), 3600))
    assert swept.sweep() == NOTHING | {"freed": 1}
    assert swept.world.objects.names() == []


@pytest.mark.parametrize(("early", "freed"), [(1, 0), (0, 1)])
def test_a_slot_is_kept_to_the_last_second_of_its_lease(early: float, freed: int) -> None:
    """Before that its claimant may be about to call."""
    swept = Swept()
    swept.die_before_sending()
    swept.world.clock.advance(swept.world.limits.lease_seconds - early)
    assert swept.sweep()["freed"] == freed
    assert len(swept.world.slots()) == 1 - freed


def test_the_slot_of_a_claim_that_runs_again_is_kept() -> None:
    """A key that was freed and taken again: the old claim's slot goes, the new one's stays."""
    swept = Swept()
    swept.die_before_sending()
    swept.world.end_lease()
    seen: list[dict[str, int]] = []
    swept.world.generator.scenes = [Scene(seconds=0.0, meanwhile=lambda: seen.append(swept.sweep()))]
    swept.world.ask()
    assert seen == [NOTHING | {"running": 1}]
    assert len(swept.world.slots()) == 1


def test_slots_that_storage_keeps_are_for_the_next_sweep() -> None:
    """A delete that fails frees nothing, and the claim that shows whose slot it is stays with it."""
    swept = Swept()
    swept.die_before_sending()
    swept.world.end_lease()
    swept.world.objects.fail("delete", times=1)
    assert swept.sweep() == NOTHING | {"errors": 1}
    assert (swept.world.left(), len(swept.world.slots())) == (["claim.json"], 1)
    assert swept.sweep()["freed"] == 1
    assert swept.world.objects.names() == []
