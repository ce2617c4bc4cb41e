"""The process dies at any moment: asked again, what may have been bought is never bought again."""

import contextlib
from datetime import timedelta

import pytest

from imagegen.errors import BY_CODE, SegmindBadImage, StorageUnavailable
from imagegen.failure import ServiceError
from tests.harness.fakes import Crash, Scene, World

ENDINGS = {
    "good": Scene(),
    "rejected": Scene(raised=BY_CODE["rejected-by-segmind"]("no")),
    "unknown": Scene(raised=BY_CODE["outcome-unknown"]("silence")),
    "bad image": Scene(body=SegmindBadImage("HTML", b"<html>")),
    "free": Scene(raised=BY_CODE["segmind-failed"]("no")),
    "v2": Scene(submits="seg-1"),
    "v2, free": Scene(submits="seg-1", raised=BY_CODE["segmind-failed"]("no")),
}
MAY_BE_BILLED = {"good", "unknown", "bad image", "v2"}


def operations_of(ending: str) -> int:
    """Return how many storage operations a request with this ending takes."""
    world = World(ENDINGS[ending], per_day=5, per_user=5)
    with contextlib.suppress(ServiceError):
        world.ask(owner="ada")
    return len(world.objects.operations)


MOMENTS = [
    pytest.param(ending, step, applied, id=f"{ending}-{step}-{'after' if applied else 'before'}")
    for ending in ENDINGS
    for step in range(operations_of(ending))
    for applied in (False, True)
]


def crashed(ending: str, step: int, applied: bool) -> World:
    """Return the world after a process died at one storage operation, before or after that was done."""
    world = World(ENDINGS[ending], per_day=5, per_user=5)
    trouble = world.objects.fail(skip=step, times=1, applied=applied, error=Crash)
    world.dies(owner="ada")
    assert trouble.fired
    world.objects.recover()
    return world


@pytest.mark.parametrize(("ending", "step", "applied"), MOMENTS)
def test_a_crash_never_buys_twice_and_loses_nothing(ending: str, step: int, applied: bool) -> None:
    """Asked again after the lease: the image, an end that stands, or one new call if the dead one cost nothing.

    What is in the bucket, or known to v2, is what the key's owner gets. A submission never outlives its claim: a new
    claimant of the freed key would take it for its own, and be resumed as the generation that failed.
    """
    world = crashed(ending, step, applied)
    bought_before, left = len(world.generator.bought), world.left()
    kept = ending in {"good", "v2"} and not {"image.jpg", "submitted.json"}.isdisjoint(left)
    assert "submitted.json" not in left or "claim.json" in left
    world.end_lease()
    try:
        first = world.end(owner="ada")
    except ServiceError as error:
        assert (error.billed, kept, "claim.json" in world.left()) == ("no", False, False)  # noqa: PT017 - may be told again
    else:
        assert world.end(owner="ada") == world.shown(first.claim.id, "ada") == first
        assert (first.image is not None) == (first.status == "succeeded") >= kept
    bought = len(world.generator.bought)
    assert bought <= (1 if bought_before and ending in MAY_BE_BILLED else bought_before + 1)


@pytest.mark.parametrize(("ending", "step", "applied"), MOMENTS)
def test_a_crash_holds_the_key_until_its_lease_ends(ending: str, step: int, applied: bool) -> None:
    """As long as the dead process might be alive, a repeat buys only where the key is free."""
    world = crashed(ending, step, applied)
    bought = len(world.generator.bought)
    held = "claim.json" in world.left()
    world.clock.advance(1)
    try:
        outcome = world.ask(owner="ada")
    except ServiceError as error:
        assert error.billed == "no"  # noqa: PT017
    else:
        assert outcome.ending or world.clock.now() - outcome.claim.created_at < timedelta(hours=1)
    assert len(world.generator.bought) == bought or not held


@pytest.mark.parametrize("applied", [False, True])
@pytest.mark.parametrize("step", range(12))
def test_a_crash_of_the_rescuer_loses_nothing(step: int, applied: bool) -> None:
    """The process that cleans up may die as well; the third still gets the image."""
    world = crashed("good", operations_of("good") - 1, applied=False)
    assert "image.jpg" in world.left()
    world.end_lease()
    world.objects.fail(skip=step, times=1, applied=applied, error=Crash)
    with contextlib.suppress(Crash):
        world.ask(owner="ada")
    world.objects.recover()
    ending = world.end(owner="ada")
    assert (ending.status, len(world.generator.bought)) == ("succeeded", 1)


@pytest.mark.parametrize("applied", [False, True])
@pytest.mark.parametrize("step", range(12))
def test_storage_that_fails_at_any_step_never_buys_twice(step: int, applied: bool) -> None:
    """The same with an error instead of a death: all repetitions together cost at most one image."""
    world = World(per_day=5, per_user=5)
    world.objects.fail(skip=step, times=1, applied=applied)
    for _ in range(3):
        try:
            world.ask(owner="ada")
        except ServiceError as error:
            assert isinstance(error, StorageUnavailable) or error.code == "image-not-stored"  # noqa: PT017
        world.end_lease()
    assert len(world.generator.bought) <= 1
