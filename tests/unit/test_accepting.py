"""Queueing for the event door, and where a key stands then: nothing is bought, and nobody is told what is not so."""

from dataclasses import replace

import pytest

from imagegen.errors import IdempotencyKeyReused, ImageDeleted, NotFound, RejectedBySegmind, StorageUnavailable
from imagegen.model import ImageRequest, Order
from imagegen.ports import StillGenerating
from tests.harness.fakes import ID, ORDER, Crash, Scene, World, history_row

OTHER = replace(ORDER, request=ImageRequest("another one"))
BY_ID = replace(ORDER, key=None, image_id=ID)


def queue() -> World:
    return World(queues=True, per_day=5)


def test_without_a_bucket_nothing_is_queued() -> None:
    with pytest.raises(NotFound, match="no uploads bucket"):
        World().service.accept(ORDER)


def test_a_queued_key_is_queued_once() -> None:
    """The first is new, the second a repeat; a third with another body is refused. Nobody holds a lease on it."""
    world = queue()
    first, again = (world.service.accept(ORDER) for _ in range(2))
    assert (first.queued, first.replayed, again.queued, again.replayed) == (True, False, True, True)
    assert first.claim.lease_ends_at == first.claim.created_at
    with pytest.raises(IdempotencyKeyReused):
        world.service.accept(OTHER)


@pytest.mark.parametrize("order", [ORDER, BY_ID, OTHER], ids=["key", "id", "other"])
def test_a_key_that_stands_is_not_queued(order: Order) -> None:
    """What claims, runs (by its id, too) or ended is told as it is, to the same request alone; deleted, it is gone."""
    world = queue()
    running: list[object] = []

    def during() -> None:
        try:
            found = world.other().service.accept(order)
            running.append((found.ending, found.replayed, found.queued))
        except IdempotencyKeyReused:
            running.append("reused")

    world.delivery.meanwhile = during
    world.generator.scenes = [Scene(meanwhile=during)]
    ending = world.end()
    if order is OTHER:
        assert running == ["reused"] * 2
        with pytest.raises(IdempotencyKeyReused):
            world.service.accept(order)
    else:
        assert running == [(None, True, False)] * 2
    if order is ORDER:
        outcome = world.service.accept(order)
        assert (outcome.ending, outcome.replayed, outcome.queued) == (ending, True, False)
        world.core.deleting.delete(ID, None)
        with pytest.raises(ImageDeleted):
            world.service.accept(order)
    assert (world.uploads.names(), len(world.generator.bought)) == ([], 1)


def test_a_key_that_was_freed_is_queued() -> None:
    """Its claimant died before the call: the claim goes, the job is queued."""
    world = queue()
    world.claimed_elsewhere(100)
    world.end_lease()
    assert world.service.accept(ORDER).queued
    assert world.left() == []


def test_a_key_that_is_being_claimed_is_not_queued() -> None:
    """The marker of another request stands, and its claim not yet: the caller comes again in a second."""
    world = queue()
    seen: list[float | None] = []

    def refused() -> StorageUnavailable:
        with pytest.raises(StorageUnavailable, match="being claimed") as caught:
            twin.service.accept(ORDER)
        seen.append(caught.value.retry_after)
        return StorageUnavailable()

    twin = world.other()
    world.objects.fail("create", "*/claim.json", times=1, error=refused)
    with pytest.raises(StorageUnavailable):
        world.ask()
    assert seen == [1.0]


@pytest.mark.parametrize(("early", "runs"), [(1, True), (0, False)])
def test_what_a_door_knows_from_two_reads(early: float, runs: bool) -> None:
    """A claim under its lease, or an end; anything else is worth a closer look."""
    world = queue()
    assert world.service.ended(ID) is None
    world.claimed_elsewhere(100)
    world.clock.advance(100 - early)
    found = world.service.ended(ID)
    assert (found is not None) is runs
    assert found is None or (found.claim.id, found.ending, found.replayed) == (ID, None, True)
    world.end_lease()
    ending = world.end()
    world.end_lease()
    told = world.service.ended(ID)
    assert told
    assert (told.ending, told.replayed) == (ending, True)


@pytest.mark.parametrize("taken", [False, True])
def test_a_refusal_is_written_down_unless_it_is_too_late(taken: bool) -> None:
    """An order that failed for good ends so; where another instance has an end already, that one stands."""
    world = queue()
    before = world.end() if taken else None
    world.service.refuse(ORDER, RejectedBySegmind("no"))
    ending = world.shown()
    assert (ending.error_code, ending == before) == (("", True) if taken else ("rejected-by-segmind", False))


@pytest.mark.parametrize("queued", [False, True])
def test_a_status_query_frees_what_died_before_the_call(queued: bool) -> None:
    """What was queued is queued again; what was not is unknown. It says that it buys and changes nothing new."""
    world = queue()
    if queued:
        world.service.accept(ORDER)
    world.claimed_elsewhere(100)
    world.end_lease()
    if queued:
        shown = world.service.status(ID, None)
        assert (shown.queued, shown.replayed, shown.ending) == (True, True, None)
    else:
        with pytest.raises(NotFound):
            world.service.status(ID, None)
    assert world.left() == []


@pytest.mark.parametrize(("wait", "given"), [(0.0, 2.0), (20.0, 22.0)])
def test_a_status_query_asks_segmind_for_so_long(wait: float, given: float) -> None:
    """Two seconds beyond what the caller waits."""
    world = World(Scene(submits="seg-1", raised=Crash()), resumes=[Scene(raised=StillGenerating(), seconds=0.0)] * 9)
    world.dies()
    world.end_lease()
    world.service.status(ID, None, wait)
    assert world.generator.given[1] == given


def test_a_settling_that_fails_makes_no_answer_worse() -> None:
    """Segmind's history has the call, and storage does not take what it says: the job is unknown as before."""
    world = World(Scene(raised=Crash()))
    world.dies()
    world.end_lease()
    lost = world.end()
    world.history.rows = [history_row(lost.claim.created_at)]
    world.objects.fail("create", "settled/*", times=1)
    assert world.shown() == lost
    assert world.shown().status == "succeeded"
