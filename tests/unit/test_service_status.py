"""Asking where an image stands: by its callers, at any time, without spending anything."""

import pytest

from imagegen.errors import NotFound
from imagegen.model import Ending
from imagegen.pipeline.claims import image_id
from tests.harness.fakes import ID, ORDER, PICTURE, RECEIPT, Crash, Scene, World


@pytest.mark.parametrize(("owner", "asks", "sees"), [("ada", "ada", True), ("ada", None, True), ("ada", "bob", False)])
def test_only_the_owner_sees_an_image(owner: str, asks: str | None, sees: bool) -> None:
    """Another caller's image is as unknown as one that does not exist, and not ended by asking; else all are seen."""
    world = World()
    made = world.ask(owner=owner)
    if sees:
        assert world.service.status(made.claim.id, asks).claim.owner == owner
        return
    with pytest.raises(NotFound, match="no image with this id"):
        world.service.status(made.claim.id, asks)
    world.generator.scenes = [Scene(raised=Crash())]
    world.dies("lost", owner)
    world.end_lease()
    before = world.objects.names()
    with pytest.raises(NotFound):
        world.service.status(image_id(owner, "lost"), asks)
    assert world.objects.names() == before


def test_a_wait_ends_with_the_job() -> None:
    """`wait` answers at most four seconds after there is an end."""
    world = World()
    claim = world.claimed_elsewhere().claim
    ending = Ending(claim, "succeeded", world.clock.now())
    world.clock.later(20, lambda: world.jobs.finish(ending, world.soon))
    started = world.clock.monotonic()
    assert world.service.status(claim.id, None, wait_seconds=60).ending == ending
    assert 20 <= world.clock.monotonic() - started < 24


def test_asking_ends_what_a_dead_instance_left() -> None:
    """After the lease a status query finds the image that was stored, and writes its end down."""
    world = World()
    world.objects.fail("create", "*/result.json", error=Crash)
    world.dies()
    world.objects.recover()
    world.end_lease()
    shown = world.shown()
    assert shown.image
    assert (shown.status, shown.image.sha256, shown.segmind) == ("succeeded", PICTURE.sha256, RECEIPT)
    assert world.left() == ["claim.json", "image.jpg", "result.json", "sent.json"]


@pytest.mark.parametrize("queued", [False, True])
@pytest.mark.parametrize("seconds", [0.0, 0.01, 0.2, 1.0, 2.0, 6.0, 10.0, 60.0])
def test_a_wait_lasts_as_long_as_was_asked_for(seconds: float, queued: bool) -> None:
    """Not longer, and not only to the last look before; a job that goes on is then shown as running or queued."""
    world = World(queues=True)
    claim = world.service.accept(ORDER).claim if queued else world.claimed_elsewhere().claim
    before = world.clock.monotonic()
    found = world.service.status(ID, None, seconds)
    assert (found.queued, found.ending, found.claim.created_at) == (queued, None, claim.created_at)
    assert world.clock.monotonic() - before == pytest.approx(seconds)


def test_a_result_wins_over_lost() -> None:
    """A claimant that was thought dead comes back with its image: from then on that is the end."""
    world = World()

    def declare_lost() -> None:
        world.end_lease()
        world.ask()

    world.generator.scenes = [Scene(meanwhile=declare_lost)]
    late = world.end()
    assert late.status == "succeeded"
    assert world.left() == ["claim.json", "image.jpg", "lost.json", "result.json", "sent.json"]
    assert world.shown() == world.end() == late
    assert len(world.generator.bought) == 1
