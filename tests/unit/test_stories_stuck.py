"""Interleavings after which a key was stuck, or ended wrongly."""

import json
from dataclasses import replace

import pytest

from imagegen.errors import IdempotencyKeyReused, NotFound, SegmindUnauthorized, StorageUnavailable
from imagegen.pipeline.claims import image_id, new_claim
from imagegen.timeouts import SWEEP_SECONDS
from tests.harness.fakes import ID, ORDER, REQUEST, Crash, Scene, World
from tests.unit.test_events import MAX_AGE, Door

OTHER = replace(REQUEST, prompt="a blue cube")


def queue() -> World:
    return World(queues=True, per_day=5)


def test_a_queued_key_belongs_to_its_request() -> None:
    """A synchronous request with the same key and another body comes between queueing and event: it is refused."""
    world = queue()
    world.service.accept(ORDER)
    before = world.objects.names()
    with pytest.raises(IdempotencyKeyReused):
        world.ask(request=OTHER)
    assert (world.objects.names(), world.generator.bought) == (before, [])
    assert world.service.status(ID, None).queued
    assert world.ask().ending  # the same request may be bought at once; its event then finds the end
    assert world.objects.names("open/") == []


@pytest.mark.parametrize("crashes", [False, True])
def test_an_event_that_never_comes(crashes: bool) -> None:
    """The sweep runs what was queued, after a quarter of an hour, once; its event may come after that."""
    world = queue()
    if crashes:
        world.uploads.fail("create", error=Crash)
        with pytest.raises(Crash):
            world.service.accept(ORDER)
        world.uploads.recover()
    else:
        world.service.accept(ORDER)
    assert world.sweep.run()["queued"] == 1
    world.clock.advance(16 * 60)
    assert world.sweep.run()["finished"] == 1
    ending = world.shown()
    assert (ending.status, len(world.generator.bought), world.objects.names("open/")) == ("succeeded", 1, [])
    assert world.create(replace(ORDER, door="event", image_id=ID)).ending == ending


def test_a_job_whose_result_is_gone_is_not_queued_again() -> None:
    """Results are kept shorter than job files: what ended once is not shown as queued, and the sweep buys nothing."""
    world = queue()
    world.service.accept(ORDER)
    world.create(replace(ORDER, door="event", image_id=ID))
    for info in list(world.objects.list(f"jobs/{ID}/", world.soon)):
        world.objects.delete(info.name, info.generation, world.soon)
    world.clock.advance(3600)
    assert world.uploads.names() == [f"jobs/{ID}.json"]
    assert sum(world.sweep.run().values()) == 0
    with pytest.raises(NotFound):
        world.service.status(ID, None)
    assert len(world.generator.bought) == 1


def test_what_cannot_be_read_is_not_claimed() -> None:
    """A missing grant for an hour: no job file is claimed under an empty owner, and the real one gets the image."""
    door = Door()
    body = json.dumps({**REQUEST.body(), "idempotencyKey": "key-1", "owner": "ada", "id": image_id("ada", "key-1")})
    data = door.put(body.encode(), name=f"jobs/{image_id('ada', 'key-1')}.json")
    door.uploads.fail("read")
    assert door.handle(data) is False
    door.world.clock.advance(MAX_AGE)
    assert door.handle(data) is True
    assert door.world.objects.names() == []
    assert door.world.ask(owner="ada").ending


@pytest.mark.parametrize("name", ["sent.json", "spend/*", "claim.json"])
@pytest.mark.parametrize("applied", [False, True])
def test_a_failed_release_is_free(name: str, applied: bool) -> None:
    """A free failure whose release stopped anywhere: after the lease no caller is told that it may have been billed.

    Only where `sent.json` itself would not go is it unknown whether the call was made.
    """
    world = World(Scene(raised=SegmindUnauthorized()), per_day=5)
    world.objects.fail("delete", f"*{name}", times=1, applied=applied)
    with pytest.raises(SegmindUnauthorized):
        world.ask()
    world.end_lease()
    world.sweep.run()
    ending = world.other().end()
    assert ending.status == ("unknown" if name == "sent.json" and not applied else "succeeded")
    assert len(world.slots()) == 1


def test_an_ambiguous_claim_is_free() -> None:
    """The claim is written, its answer lost, and its release too: nothing was sent, so after the lease it is free."""
    world = World(per_day=5)
    world.objects.fail("create", "*/claim.json", times=1, applied=True)
    world.objects.fail("delete", times=1)
    with pytest.raises(StorageUnavailable):
        world.ask()
    assert world.left() == ["claim.json"]
    world.end_lease()
    assert (world.other().end().status, len(world.generator.bought)) == ("succeeded", 1)


@pytest.mark.parametrize("name", ["open/*", "*/claim.json", "spend/*"])
def test_a_death_between_claim_and_call_is_free(name: str) -> None:
    """Without `sent.json` nothing was sent; the slot comes back, and the key can be used again."""
    world = World(per_day=1)
    world.objects.fail("create", name, times=1, applied=True, error=Crash)
    if name == "spend/*":  # as if `sent.json`, which is written at the same time, had not got through
        world.objects.fail("create", "*/sent.json")
    world.dies()
    world.objects.recover()
    world.end_lease()
    if name == "spend/*":
        world.sweep.run()
    assert (world.other().end().status, len(world.slots())) == ("succeeded", 1)


def test_a_sweep_ends_at_its_deadline() -> None:
    """Jobs that take long to look at are cut off there; the next sweep goes on with what is still open."""
    world = World()
    for n in range(40):
        world.generator.scenes = [Scene(submits=f"seg-{n}", raised=Crash(), seconds=0.0)]
        world.dies(f"key-{n}")
        world.objects.recover()
    world.end_lease()
    world.generator.resumes = [Scene(seconds=200.0) for _ in range(40)]
    started = world.clock.monotonic()
    first = world.sweep.run()
    assert first["errors"] > 0
    assert first["finished"] > 0
    assert world.clock.monotonic() - started < SWEEP_SECONDS + 16 * 200.0
    world.generator.resumes = []
    assert world.sweep.run()["errors"] == 0
    assert world.left().count("result.json") == 40
    assert sum(world.sweep.run().values()) == 0


def test_a_claimant_that_was_given_up_and_knows_better() -> None:
    """Its call failed free of charge after its lease, when a sweep had called it unknown: it is settled, not forgotten.

    The key is not free any more, since callers may have been told of the unknown.
    """
    world = World(per_day=5)

    def give_up() -> None:
        world.end_lease()
        assert world.other().sweep.run()["lost"] == 1

    world.generator.scenes = [Scene(raised=SegmindUnauthorized(), meanwhile=give_up)]
    ending = world.end()
    assert ending.error
    assert (ending.status, ending.error.billed, world.slots(), world.objects.names("open/")) == ("failed", "no", [], [])
    assert world.other().end() == ending


def test_a_run_that_lost_its_claim_does_not_hold_up_its_successor() -> None:
    """It sleeps in this process and its claim was freed: the next request with the key asks storage, once, and runs."""
    world = World()
    old = new_claim(ORDER, world.clock.now(), world.limits.lease_seconds)
    world.end_lease()
    with world.service.known.running(old):
        assert world.end().status == "succeeded"
