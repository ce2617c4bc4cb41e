"""The sweep over a bucket in memory: each word that it counts, and the last moment at which it is that word."""

import pytest

from imagegen.errors import RejectedBySegmind, SegmindFailed, StorageUnavailable
from imagegen.model import Marker
from imagegen.ports import StillGenerating
from tests.harness.fakes import ID, ORDER, REQUEST, Crash, Scene, World, history_row

NOTHING = dict.fromkeys(
    ("finished", "settled", "lost", "unknown", "freed", "running", "queued", "closed", "deleted", "errors"), 0
)
DAY = 86_400.0


def crashed(*scenes: Scene, key: str = "key-1", world: World | None = None) -> World:
    """Let an instance die on the way to one image, as the scene says."""
    world = world or World(per_day=10)
    world.generator.scenes = list(scenes) or [Scene(raised=Crash(), seconds=0.0)]
    world.dies(key)
    world.objects.recover()
    return world


def died_before_sending() -> World:
    """Let an instance die with a slot in its hand and without a `sent.json`."""
    world = World(per_day=10)
    world.objects.fail("create", "*/sent.json")
    world.objects.fail("delete", "spend/*", error=Crash)
    crashed(Scene(), world=world)
    assert len(world.slots()) == 1
    return world


@pytest.mark.parametrize(("early", "counted"), [(1, "running"), (0, "lost")])
def test_a_lease_holds_to_its_last_second(early: float, counted: str) -> None:
    """A second before its end the claim holds; at its end it is lost."""
    world = crashed()
    world.clock.advance(world.limits.lease_seconds - early)
    assert world.sweep.run() == NOTHING | {counted: 1}


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
    world = crashed(Scene(raised=Crash(), submits="seg-1"))
    world.generator.resumes = [resumed]
    world.end_lease()
    assert world.sweep.run()[counted] == 1
    assert (world.left(), len(world.generator.bought)) == (left, 1)


def test_one_broken_job_does_not_stop_the_rest() -> None:
    """Of three wrecks the one that cannot be resumed is an error; the others end."""
    world = World(per_day=10)
    for key in ("a", "b", "c"):
        crashed(Scene(raised=Crash(), submits=f"seg-{key}"), key=key, world=world)
    world.generator.resumes = [Scene(raised=RuntimeError("x"))]
    world.end_lease()
    assert world.sweep.run() == NOTHING | {"errors": 1, "finished": 2}


@pytest.mark.parametrize(("late", "freed"), [(-1.0, 0), (0.0, 1), (DAY, 1), (2 * DAY, 1)])
def test_a_slot_that_was_taken_for_nothing_is_freed(late: float, freed: int) -> None:
    """Its instance died before the call: from the lease's end on, key and slot are free, on whichever day it is."""
    world = died_before_sending()
    world.clock.advance(world.limits.lease_seconds + late)
    assert world.sweep.run() == NOTHING | ({"freed": 1} if freed else {"running": 1})
    assert len(world.slots()) == 1 - freed
    assert (world.objects.names() == []) == freed


def test_the_slot_of_a_claim_that_runs_again_is_kept() -> None:
    """A key that was freed and taken again: the old claim's slot goes, the new one's stays."""
    world = died_before_sending()
    world.end_lease()
    seen: list[dict[str, int]] = []
    world.generator.scenes = [Scene(seconds=0.0, meanwhile=lambda: seen.append(world.sweep.run()))]
    world.ask()
    assert (seen, len(world.slots())) == ([NOTHING | {"running": 1}], 1)


def test_slots_that_storage_keeps_are_for_the_next_sweep() -> None:
    """A delete that fails frees nothing, and the claim that shows whose slot it is stays with it."""
    world = died_before_sending()
    world.end_lease()
    world.objects.fail("delete", times=1)
    assert world.sweep.run() == NOTHING | {"errors": 1}
    assert (world.left(), len(world.slots())) == (["claim.json"], 1)
    assert world.sweep.run()["freed"] == 1
    assert world.objects.names() == []


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
    world = crashed(Scene(raised=Crash(), submits="seg-1"))
    world.end_lease()
    world.objects.fail(*trouble, times=1)
    assert [world.sweep.run() for _ in range(3)] == [NOTHING | {swept: 1}, NOTHING | {again: 1}, NOTHING]
    assert "result.json" in world.left()
    assert (len(world.objects.names("ledger/")), world.objects.names("open/")) == (1, [])


def test_a_call_that_the_history_has_is_settled() -> None:
    """Until then a sweep completes the account of an unknown and changes nothing more; an unknown stays open."""
    world = crashed()
    created = world.clock.now()
    world.end_lease()
    world.objects.fail("create", "ledger/*", times=1)
    assert [world.sweep.run() for _ in range(2)] == [NOTHING | {"lost": 1}, NOTHING | {"unknown": 1}]
    before = world.objects.names()
    assert len(world.objects.names("ledger/")) == 1
    assert (world.sweep.run(), world.objects.names()) == (NOTHING | {"unknown": 1}, before)
    world.history.rows = [history_row(created)]
    assert world.sweep.run() == NOTHING | {"settled": 1}


@pytest.mark.parametrize(("late", "opened"), [(0, 1), (1, 0)])
def test_an_unknown_is_asked_about_for_eight_days(late: float, opened: int) -> None:
    """Hosted images are gone after seven: after the last second of the eighth its job, account and slot stay as is."""
    world = crashed()
    world.end_lease()
    world.sweep.run()
    world.clock.advance(8 * DAY + late)
    assert world.sweep.run() == NOTHING | {"unknown": 1}
    assert len(world.objects.names("open/")) == opened
    asked = world.history.asked
    assert world.sweep.run() == NOTHING | {"unknown": opened}
    assert (world.history.asked - asked, "lost.json" in world.left(), len(world.slots())) == (opened, True, 1)


@pytest.mark.parametrize(("early", "counted"), [(1, "running"), (0, "closed")])
def test_a_marker_whose_claim_is_not_there(early: float, counted: str) -> None:
    """It may be that of a request that is claiming right now; after a lease's time it belongs to nothing."""
    world = World()
    world.jobs.mark_open("a" * 26, Marker("token", REQUEST.fingerprint, "", world.clock.now()), world.soon)
    world.clock.advance(world.limits.lease_seconds - early)
    assert world.sweep.run() == NOTHING | {counted: 1}


@pytest.mark.parametrize(("late", "left"), [(0, 1), (1, 0)])
def test_the_marker_of_a_deletion_that_died_goes_after_a_leases_time(late: float, left: int) -> None:
    """It died before it wrote `deleted.json`; until then it may be at work."""
    world = World()
    world.ask()
    world.objects.fail("create", "*/deleted.json", error=Crash)
    with pytest.raises(Crash):
        world.core.deleting.delete(ID, None)
    world.objects.recover()
    world.clock.advance(world.limits.lease_seconds + late)
    assert world.sweep.run() == NOTHING | {"closed": 1}
    assert len(world.objects.names("open/")) == left


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
    world = World(scene, queues=True, generation_seconds=generation)
    world.service.accept(ORDER)
    world.clock.advance(minutes * 60)
    assert world.sweep.run() == NOTHING | {counted: 1}


@pytest.mark.parametrize(("late", "counted"), [(0, "freed"), (1, "finished")])
def test_a_queued_job_fails_for_good_after_an_events_time(late: int, counted: str) -> None:
    """For that hour a free failure leaves it queued; then it has failed, and holds neither marker nor slot."""
    world = World(Scene(raised=SegmindFailed("x"), seconds=0.0), queues=True, per_day=5)
    world.service.accept(ORDER)
    world.clock.advance(3600 + late)
    assert world.sweep.run() == NOTHING | {counted: 1}
    found = world.service.status(ID, None)
    assert (found.queued, found.ending.error_code if found.ending else "") == (not late, "segmind-failed" * late)
    assert (len(world.objects.names("open/")), world.slots()) == (1 - late, [])


def test_the_oldest_are_swept_first() -> None:
    """Where the time of a sweep is over before all were looked at, the newest wait for the next one."""
    world = World()
    names = [f"{99 - n:026}" for n in range(60)]
    for name in names:
        world.jobs.mark_open(name, Marker("token", REQUEST.fingerprint, "", world.clock.now()), world.soon)
        world.clock.advance(1)

    def slow() -> StorageUnavailable:
        world.clock.advance(40)
        return StorageUnavailable()

    world.objects.fail("list", "jobs/*", error=slow)
    assert world.sweep.run() == NOTHING | {"errors": 60}
    looked = {name.split("/")[1] for did, name in world.objects.operations if did == "list" and "jobs" in name}
    assert looked & set(names[:16])
    assert names[-1] not in looked
