"""The moments around the call to Segmind: who may still make it, for how long, and what a full gate does."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from imagegen.errors import ImageNotStored, SegmindBadImage, StorageUnavailable
from imagegen.model import Sent
from imagegen.pipeline.claims import new_claim
from imagegen.ports import Deadline
from imagegen.stopwatch import Stopwatch
from tests.harness.fakes import ORDER, MemoryObjects, Scene, World


class Stubborn(MemoryObjects):
    """A bucket in which another instance writes every `sent.json` anew as soon as it is deleted."""

    def delete(self, name: str, generation: int, deadline: Deadline) -> None:
        if not name.endswith("/sent.json"):
            super().delete(name, generation, deadline)


class Frozen(MemoryObjects):
    """A bucket whose answer to the creation of such an object finds the instance asleep for so many seconds."""

    name, seconds = "claim.json", 0.0

    def create(
        self,
        name: str,
        data: bytes,
        content_type: str,
        deadline: Deadline,
        metadata: Mapping[str, str] | None = None,
    ) -> int | None:
        generation = super().create(name, data, content_type, deadline, metadata)
        deadline.clock.sleep(self.seconds if name.endswith(self.name) else 0.0)
        return generation


def set_freeze(world: World, name: str, seconds: float) -> None:
    assert isinstance(world.objects, Frozen)
    world.objects.name, world.objects.seconds = name, seconds


def leave_sent(world: World) -> None:
    """Leave the `sent.json` of a claim that was freed."""
    claim = new_claim(ORDER, world.clock.now(), 0.0)
    assert world.jobs.sent(claim, Sent(claim.token, world.clock.now(), claim.fingerprint), world.soon)


@pytest.mark.parametrize("stale", [False, True])
@pytest.mark.parametrize(("left", "calls"), [(190.0, True), (90.0, True), (0.5, True), (0.0, False), (-1.0, False)])
def test_a_call_is_made_while_its_image_can_be_stored_within_the_lease(stale: bool, left: float, calls: bool) -> None:
    """To the last moment, and for no longer; then nothing is sent, and the key is free. A stale `sent.json` or not."""
    world = World(per_day=5, bucket=Frozen)
    set_freeze(world, "claim.json", 190.0 - left)
    if stale:
        leave_sent(world)
    if calls:
        assert world.ask().ending
        assert world.generator.given == [min(left, 180.0)]
        return
    with pytest.raises(StorageUnavailable, match="Nothing was sent"):
        world.ask()
    assert (world.generator.bought, world.slots(), world.left()) == ([], [], ["sent.json"] if stale else [])


def test_a_sent_json_that_comes_back_stops_the_call() -> None:
    """Two claims that both believe that they hold the key: this one does not call."""
    world = World(bucket=Stubborn)
    leave_sent(world)
    with pytest.raises(StorageUnavailable, match="in the way"):
        world.ask()
    assert world.generator.bought == []


@pytest.mark.parametrize(("submits", "ends"), [("seg-1", False), (None, True)])
def test_a_paid_image_that_cannot_be_stored(submits: str | None, ends: bool) -> None:
    """It goes to the caller; v2 can fetch it again, so that is no end there, and the next one to ask gets it."""
    world = World(Scene(submits=submits), resumes=[Scene(seconds=0.0)])
    world.objects.fail("create", "*/image.jpg", times=1)
    with pytest.raises(ImageNotStored):
        world.ask()
    assert ("result.json" in world.left()) is ends
    world.end_lease()
    assert (world.end().status, len(world.generator.bought)) == ("failed" if ends else "succeeded", 1)


def test_a_place_in_memory_is_given_back() -> None:
    """One place: a bad image, one that storage refuses and good ones follow each other, and none waits."""
    world = World(Scene(body=SegmindBadImage("HTML")), bodies_in_memory=1)
    assert world.end("a").error_code == "segmind-bad-image"
    world.objects.fail("create", "*/image.jpg", times=1)
    with pytest.raises(ImageNotStored):
        world.ask("b")
    assert [world.end(key).status for key in "cd"] == ["succeeded"] * 2
    assert [generation.waited for generation in world.generator.generations] == [0.0] * 4


def test_an_image_that_finds_no_place_until_the_deadline_is_unknown() -> None:
    """It is not let through: all images could be lost with the memory. The one in its place is none the worse."""
    world = World(bodies_in_memory=1)
    late: list[str] = []

    def second() -> None:
        world.generator.scenes = [Scene(seconds=100.0)]
        until = Deadline.within(world.clock, world.limits.run_seconds)
        world.delivery.meanwhile = lambda: world.clock.sleep(until.left - 105.0)
        ending = world.service.create(replace(ORDER, key="second"), Stopwatch(world.clock), until).ending
        late.append(ending.error_code if ending else "")

    world.generator.scenes = [Scene(reading=1.0)]
    world.clock.later(30.5, second)
    assert world.end("first").status == "succeeded"
    assert late == ["outcome-unknown"]
    assert world.end("third").status == "succeeded"


@pytest.mark.parametrize(("slow", "claim", "segmind"), [("sent.json", 3.0, 32.0), ("", 0.0, 72.0)])
def test_time_is_counted_where_it_passes(slow: str, claim: float, segmind: float) -> None:
    """`Server-Timing` tells claim, Segmind and storing apart; `sent.json` is part of the claim, references are not."""
    world = World(Scene(seconds=30.0, reading=2.0), bucket=Frozen)
    set_freeze(world, slow or "none", 3.0)
    world.delivery.meanwhile = lambda: world.clock.sleep(0.0 if slow else 40.0)
    watch = Stopwatch(world.clock)
    world.service.create(replace(ORDER, key=None), watch, Deadline.within(world.clock, world.limits.request_seconds))
    assert watch.header().startswith("claim;dur=")
    assert (watch.seconds("claim"), watch.seconds("segmind"), watch.seconds("store")) == (claim, segmind, 0.0)
