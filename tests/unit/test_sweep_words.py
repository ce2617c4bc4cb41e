"""Each word that a sweep counts, and the last moment at which it is that word."""

import pytest

from imagegen.errors import SegmindFailed, StorageUnavailable
from imagegen.model import HistoryRow, Marker, Order
from imagegen.ports import Deadline, StillGenerating
from imagegen.timeouts import Timeouts
from tests.harness.fakes import REQUEST, Crash, MemoryObjects, Scene, World
from tests.unit.test_sweep import NOTHING


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
