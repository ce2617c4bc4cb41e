"""Deleting: nothing of prompt or image is left, the key never bills again, and a crash on the way is completed."""

import json
from contextlib import suppress
from dataclasses import replace

import pytest

from imagegen.errors import (
    DeletedTooEarly,
    ImageDeleted,
    NotFound,
    RejectedBySegmind,
    SegmindBadImage,
)
from imagegen.model import Order, Reference
from imagegen.pipeline.claims import image_id
from imagegen.ports import StillGenerating
from tests.harness.fakes import NOON, REQUEST, Crash, Scene, World, history_row

OWNER = "ada@example.com"  # in no random token
ID = image_id(OWNER, "key-1")
SECRETS = ("a red cube", "the bytes of an image", "example.com/model", OWNER)
STAGED = f"references/{'0' * 64}.png"
ENDS = {
    "succeeded": Scene(),
    "rejected": Scene(raised=RejectedBySegmind("no: a red cube")),
    "bad image": Scene(body=SegmindBadImage("HTML", b"<html>a red cube")),
    "unknown": Scene(raised=Crash()),
    "v2": Scene(submits="seg-1"),
}
every_end = pytest.mark.parametrize("end", ENDS)


def ended(end: str) -> World:
    """Return the world in which ada's image, with an inline reference, ended so."""
    world = World(ENDS[end], per_day=5, queues=True)
    staged = Reference("model", f"gs://uploads/{STAGED}")
    world.uploads.create(STAGED, b"a red cube", "image/png", world.soon)
    request = replace(REQUEST, references=(*REQUEST.references, staged))
    world.service.accept(Order(request, "http", OWNER, "key-1"))
    order = Order(request, "event", OWNER, "key-1", ID)
    with suppress(Crash):
        world.create(order)
    if end == "unknown":
        world.end_lease()
        world.sweep.run()
    return world


def left(world: World) -> list[str]:
    """Return what in either bucket still shows the prompt, the image or who it was."""
    return [name for text in SECRETS for bucket in (world.objects, world.uploads) for name in bucket.holding(text)]


def check_gone(world: World) -> None:
    """Nothing is left but what the account and the key need; the key is never billed again."""
    assert (left(world), world.left(), world.uploads.names()) == ([], ["deleted.json"], [])
    for _ in range(2):
        world.clock.advance(3600)
        assert world.sweep.run()["errors"] == 0
    assert world.objects.names("open/") == []
    bought = len(world.generator.bought)
    for instance in (world, world.other()):
        with pytest.raises(ImageDeleted):
            instance.service.status(ID, OWNER)
        with pytest.raises(ImageDeleted):
            instance.ask(owner=OWNER)
        with pytest.raises(ImageDeleted):
            instance.service.accept(Order(REQUEST, "http", OWNER, "key-1"))
        with pytest.raises(ImageDeleted):  # its event comes late, or again
            instance.create(Order(REQUEST, "event", OWNER, "key-1", ID))
    assert (len(world.generator.bought), world.left()) == (bought, ["deleted.json"])
    assert (left(world), world.objects.names("open/")) == ([], [])


@every_end
def test_what_is_deleted_is_gone(end: str) -> None:
    """GET and POST answer 410, and a search of both buckets for prompt, image and owner finds nothing."""
    world = ended(end)
    assert "claim.json" in {name.rpartition("/")[2] for name in left(world)}
    assert ("image.jpg" in world.left()) == (f"jobs/{ID}/image.jpg" in left(world))
    entries, slots = world.objects.names("ledger/"), world.slots()
    world.core.deleting.delete(ID, OWNER)
    check_gone(world)
    world.core.deleting.delete(ID, OWNER)
    assert (world.objects.names("ledger/"), world.slots()) == (entries, slots)
    billed = {"rejected": "no", "unknown": "maybe"}.get(end, "yes")
    assert json.loads(world.objects.data(f"jobs/{ID}/deleted.json"))["billed"] == billed


@pytest.mark.parametrize("runs", [False, True])
def test_an_inline_image_that_another_job_waits_for_stays(runs: bool) -> None:
    """Queued or running, the other job finds the image it shares; once that has ended, a deletion takes it."""
    world = ended("succeeded")
    request = replace(REQUEST, references=(Reference("model", f"gs://uploads/{STAGED}"),))
    other = Order(request, "http", OWNER, "key-2")

    def delete_the_first() -> None:
        world.other().core.deleting.delete(ID, OWNER)
        assert STAGED in world.uploads.names()

    if runs:
        world.generator.scenes = [Scene(meanwhile=delete_the_first)]
        world.create(other)
    else:
        world.service.accept(other)
        delete_the_first()
        world.create(replace(other, door="event", image_id=image_id(OWNER, "key-2")))
    world.core.deleting.delete(image_id(OWNER, "key-2"), OWNER)
    assert world.uploads.names() == []


def test_only_its_owner_deletes() -> None:
    """To another caller it is as unknown before as after; where the platform decides, all may."""
    world = ended("succeeded")
    before = world.objects.names()
    for _ in range(2):
        for stranger in ("bob", ""):
            with pytest.raises(NotFound):
                world.core.deleting.delete(ID, stranger)
        assert world.objects.names() == before
        world.core.deleting.delete(ID, None)
        with pytest.raises(NotFound):
            world.service.status(ID, "bob")
        before = world.objects.names()
    with pytest.raises(NotFound):
        world.core.deleting.delete(image_id(OWNER, "another"), OWNER)


def test_what_is_not_over_is_not_deleted() -> None:
    """Queued, running, or going on at Segmind: 409, and nothing changes."""
    world = World(queues=True)
    refused: list[list[str]] = []

    def too_early() -> None:
        before = world.objects.names()
        with pytest.raises(DeletedTooEarly):
            world.other().core.deleting.delete(ID, OWNER)
        refused.append(before)
        assert world.objects.names() == before

    world.service.accept(Order(REQUEST, "http", OWNER, "key-1"))
    too_early()
    world.generator.scenes = [Scene(submits="seg-1", meanwhile=too_early, raised=StillGenerating())]
    world.ask(owner=OWNER)
    world.end_lease()
    world.generator.resumes = [Scene(raised=StillGenerating())]
    too_early()
    assert len(refused) == 3


def test_an_unknown_that_ends_by_its_deletion_may_have_been_billed() -> None:
    """Its claimant died, and no sweep came before its caller deleted it."""
    world = World(Scene(raised=Crash()))
    with suppress(Crash):
        world.ask(owner=OWNER)
    world.end_lease()
    world.other().core.deleting.delete(ID, OWNER)
    assert json.loads(world.objects.data(f"jobs/{ID}/deleted.json"))["billed"] == "maybe"


def test_a_deleted_unknown_is_not_settled() -> None:
    """The vendor's history still has its image: it is not fetched again."""
    world = ended("unknown")
    world.history.rows = [history_row(NOON)]
    world.core.deleting.delete(ID, OWNER)
    world.sweep.run()
    check_gone(world)


def steps(end: str) -> int:
    """Return how many operations on both buckets a deletion takes."""
    world = ended(end)
    before = len(world.objects.operations) + len(world.uploads.operations)
    world.core.deleting.delete(ID, OWNER)
    return len(world.objects.operations) + len(world.uploads.operations) - before


@pytest.mark.parametrize("applied", [False, True])
@pytest.mark.parametrize("where", ["results", "uploads"])
@pytest.mark.parametrize(("end", "step"), [(end, step) for end in ENDS for step in range(steps(end))])
def test_a_crash_on_the_way_is_completed(end: str, step: int, where: str, applied: bool) -> None:
    """Killed at each step in either bucket: once `deleted.json` stands, the next sweep removes all the rest."""
    world = ended(end)
    bucket = world.objects if where == "results" else world.uploads
    bucket.fail(skip=step, times=1, applied=applied, error=Crash)
    with suppress(Crash):
        world.core.deleting.delete(ID, OWNER)
    bucket.recover()
    world.clock.advance(3600)
    halfway = "deleted.json" in world.left() and world.objects.names("open/") != []
    assert world.other().sweep.run()["deleted"] == halfway
    if "deleted.json" in world.left():
        check_gone(world)
    else:  # nothing was promised: it stands as it was, and can be deleted
        outcome = world.other().service.status(ID, OWNER)
        assert outcome.ending
        assert (outcome.ending.image is not None) == (end in {"succeeded", "v2"})
        assert len(world.objects.names("open/")) == (end == "unknown")
        world.core.deleting.delete(ID, OWNER)
        check_gone(world)


def test_what_died_before_the_call_cannot_be_deleted() -> None:
    """Its key is free by then, and there is no image; bought after all, it can be, also where there is no queue."""
    world = World()
    world.objects.fail("create", "*/sent.json", error=Crash)
    world.dies()
    world.objects.recover()
    world.end_lease()
    with pytest.raises(NotFound):
        world.core.deleting.delete(image_id("", "key-1"), None)
    assert world.left() == []
    world.ask()
    world.core.deleting.delete(image_id("", "key-1"), None)
    assert (world.left(), world.objects.names("open/")) == (["deleted.json"], [])
