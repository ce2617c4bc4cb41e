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
def test_a_crash_never_buys_twice(ending: str, step: int, applied: bool) -> None:
    """Asked again after the lease: the image, an end, or one new call if the dead one certainly cost nothing."""
    world = crashed(ending, step, applied)
    bought_before = len(world.generator.bought)
    world.end_lease()
    try:
        world.ask(owner="ada")
    except ServiceError as error:
        assert error.billed == "no"  # noqa: PT017 - a free failure may be told again
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


@pytest.mark.parametrize(("ending", "step", "applied"), MOMENTS)
def test_the_end_after_a_crash_stands(ending: str, step: int, applied: bool) -> None:
    """An end that was told once is told to every caller ever after."""
    world = crashed(ending, step, applied)
    world.end_lease()
    try:
        first = world.ask(owner="ada")
    except ServiceError:
        assert "claim.json" not in world.left()
        return
    assert first.ending
    assert world.ask(owner="ada").ending == first.ending
    assert world.service.status(first.claim.id, "ada").ending == first.ending


@pytest.mark.parametrize(("ending", "step", "applied"), [m for m in MOMENTS if m.values[0] in {"good", "v2"}])
def test_a_stored_image_survives_every_crash(ending: str, step: int, applied: bool) -> None:
    """An image that is in the bucket is what the key's owner gets; under v2 also one that never arrived there."""
    world = crashed(ending, step, applied)
    there = "image.jpg" in world.left() or "submitted.json" in world.left()
    world.end_lease()
    outcome = world.end(owner="ada")
    assert (outcome.status == "succeeded") >= there
    assert (outcome.image is not None) == (outcome.status == "succeeded")


@pytest.mark.parametrize("applied", [False, True])
@pytest.mark.parametrize("step", range(12))
def test_a_crash_of_the_rescuer_loses_nothing(step: int, applied: bool) -> None:
    """The process that cleans up may die as well; the third still gets the image."""
    world = crashed("good", operations_of("good") - 1, applied=False)
    assert "image.jpg" in world.left()
    world.end_lease()
    world.objects.fail(skip=step, times=1, applied=applied, error=Crash)
    try:
        world.ask(owner="ada")
    except Crash:
        world.objects.recover()
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


@pytest.mark.parametrize(("ending", "step", "applied"), [m for m in MOMENTS if m.values[0] == "v2, free"])
def test_a_submission_never_outlives_its_claim(ending: str, step: int, applied: bool) -> None:
    """A new claimant of a freed key would take it for its own, and be resumed as the generation that failed."""
    left = crashed(ending, step, applied).left()
    assert "submitted.json" not in left or "claim.json" in left
