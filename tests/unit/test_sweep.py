"""The sweep over a bucket in memory, where time is what the test says."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from imagegen.errors import RejectedBySegmind, SegmindFailed, StorageUnavailable
from imagegen.model import HistoryRow, Marker, Order
from imagegen.ports import Deadline, StillGenerating
from imagegen.timeouts import Timeouts
from tests.harness.fakes import REQUEST, Crash, MemoryObjects, Scene, World

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


@pytest.mark.parametrize(
    ("trouble", "swept", "again"),
    [
        (("create", "jobs/*/image.jpg"), "errors", "finished"),  # it is still at Segmind
        (("create", "ledger/*"), "finished", "closed"),  # the end is written, its entry in the account is not
        (("delete", "open/*"), "finished", "closed"),  # the end is written, the marker stayed
    ],
)
def test_what_a_sweep_leaves_undone_the_next_one_does(trouble: tuple[str, str], swept: str, again: str) -> None:
    """After the second there is an image, one entry in the account, and no marker."""
    world = World(Scene(raised=Crash(), submits="seg-1"))
    world.dies("key-1")
    world.end_lease()
    world.generator.resumes = [Scene(seconds=0.0)] * 2
    world.objects.fail(*trouble, times=1)
    assert world.sweep.run() == NOTHING | {swept: 1}
    assert world.sweep.run() == NOTHING | {again: 1}
    assert world.sweep.run() == NOTHING
    assert "result.json" in world.left()
    assert (len(world.objects.names("ledger/")), world.objects.names("open/")) == (1, [])


def test_an_image_that_came_late_ends_what_was_lost() -> None:
    """Given up for lost, then its claimant stored the image and died: the sweep finishes it."""
    world = World()

    def give_up() -> None:
        world.end_lease()
        world.other().sweep.run()

    world.generator.scenes = [Scene(meanwhile=give_up)]
    world.objects.fail("create", "*/result.json", error=Crash)
    with pytest.raises(Crash):
        world.ask()
    world.objects.recover()
    assert "lost.json" in world.left()
    assert world.sweep.run() == NOTHING | {"finished": 1}


def test_a_call_that_the_history_has_is_settled() -> None:
    """Its word among the counts is its own; the account of one that is not settled is completed all the same."""
    world = World(Scene(raised=Crash(), seconds=0.0))
    world.dies("key-1")
    created = world.clock.now()
    world.end_lease()
    world.objects.fail("create", "ledger/*", times=1)
    assert world.sweep.run() == NOTHING | {"lost": 1}
    assert world.sweep.run() == NOTHING | {"unknown": 1}
    assert len(world.objects.names("ledger/")) == 1
    row = HistoryRow("r1", "COMPLETED", REQUEST.fingerprint, created, 0.1, "https://h.example/1.jpg", "", 30.0)
    world.history.rows = [row]
    assert world.sweep.run() == NOTHING | {"settled": 1}


def test_a_deletion_that_stopped_halfway_is_completed() -> None:
    """`deleted.json` is there, the image still is: the sweep takes it."""
    world = World()
    outcome = world.ask()
    world.objects.fail("delete", "jobs/*", times=1)
    with pytest.raises(StorageUnavailable):
        world.core.deleting.delete(outcome.claim.id, None)
    assert world.sweep.run() == NOTHING | {"deleted": 1}
    assert (world.left(), world.objects.names("open/")) == (["deleted.json"], [])


@pytest.mark.parametrize(("early", "counted"), [(1, "running"), (0, "closed")])
def test_a_marker_whose_claim_is_not_there(early: float, counted: str) -> None:
    """It may be that of a request that is claiming right now; after a lease's time it belongs to nothing."""
    world = World()
    marker = Marker("token", REQUEST.fingerprint, "", world.clock.now())
    world.jobs.mark_open("a" * 26, marker, Deadline.within(world.clock, 10))
    world.clock.advance(world.limits.lease_seconds - early)
    assert world.sweep.run() == NOTHING | {counted: 1}


@pytest.mark.parametrize(
    ("minutes", "generation", "scene", "counted"),
    [
        (14.99, 180.0, Scene(), "queued"),  # its event may come
        (15.0, 180.0, Scene(seconds=0.0), "finished"),
        (15.0, 180.0, Scene(submits="seg-1", raised=StillGenerating()), "running"),
        (15.0, 1500.0, Scene(), "queued"),  # a whole run does not fit into a sweep
    ],
)
def test_a_job_whose_event_is_late(minutes: float, generation: float, scene: Scene, counted: str) -> None:
    """A quarter of an hour belongs to the event, then the sweep runs it."""
    world = World(scene, uploads=MemoryObjects())
    world.limits = Timeouts(generation)
    world.start(world.rules)
    world.service.accept(Order(REQUEST, "http", "", "key-1"))
    world.clock.advance(minutes * 60)
    assert world.sweep.run() == NOTHING | {counted: 1}


def test_the_oldest_are_swept_first() -> None:
    """Where the time of a sweep is over before all were looked at, the newest wait for the next one."""
    world = World()
    names = [f"{99 - n:026}" for n in range(60)]
    for name in names:
        marker = Marker("token", REQUEST.fingerprint, "", world.clock.now())
        world.jobs.mark_open(name, marker, Deadline.within(world.clock, 10))
        world.clock.advance(1)

    def slow() -> StorageUnavailable:
        world.clock.advance(40)
        return StorageUnavailable()

    world.objects.fail("list", "jobs/*", error=slow)
    assert world.sweep.run() == NOTHING | {"errors": 60}
    looked = {
        name.split("/")[1] for operation, name in world.objects.operations if operation == "list" and "jobs" in name
    }
    assert looked & set(names[:16])
    assert names[-1] not in looked


@pytest.mark.parametrize(("late", "opened"), [(0, 1), (1, 0)])
def test_an_unknown_is_asked_about_for_eight_days(late: float, opened: int) -> None:
    """Hosted images are gone after seven; to the last second of the eighth it stays open."""
    world = World(Scene(raised=Crash(), seconds=0.0))
    world.dies()
    world.end_lease()
    world.sweep.run()
    world.clock.advance(8 * 24 * 3600 + late)
    assert world.sweep.run() == NOTHING | {"unknown": 1}
    assert len(world.objects.names("open/")) == opened


@pytest.mark.parametrize(("late", "counted"), [(0, "freed"), (1, "finished")])
def test_a_queued_job_fails_for_good_after_an_events_time(late: float, counted: str) -> None:
    """For that hour a free failure leaves it queued."""
    world = World(Scene(raised=SegmindFailed("x"), seconds=0.0), uploads=MemoryObjects())
    world.service.accept(Order(REQUEST, "http", "", "key-1"))
    world.clock.advance(3600 + late)
    assert world.sweep.run() == NOTHING | {counted: 1}
