"""A row of the vendor's history settles one job, once: among equal jobs, by many at once, and killed at any step."""

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from imagegen.ports import Deadline
from tests.harness.fakes import PICTURE, RECEIPT, Crash, Scene
from tests.unit.test_settling import Lost


@pytest.mark.parametrize("rows_late", [False, True])
def test_equal_jobs_take_rows_in_order(rows_late: bool) -> None:
    """The same prompt, bought twice in the same minute: the earliest takes the earliest row, each its own image."""
    world = Lost("a", "b", apart=1.0)
    other = replace(PICTURE, data=b"\xff\xd8\xff another image")
    world.history.images = {"r1": PICTURE, "r2": other}
    world.row("r2", number=1)
    if rows_late:
        world.settle()
    world.row("r1", number=0)
    world.settle()
    world.clock.advance(60)
    world.settle()
    assert world.ends() == ["succeeded", "succeeded"]
    images = [world.jobs.state(claim.id, world.soon).image for claim in world.claims]
    assert [image.sha256 for image in images if image] == (
        [PICTURE.sha256, other.sha256] if not rows_late else [other.sha256, PICTURE.sha256]
    )
    assert len(world.objects.names("settled/")) == 2
    assert (world.usage().images, float(world.usage().usd)) == (2, 0.2)


def test_the_later_of_two_equal_jobs_is_asked_about_first() -> None:
    """It takes the later row, and waits as long as there is only one: the earlier row is the earlier job's."""
    world = Lost("a", "b", apart=1.0)
    later = replace(PICTURE, data=b"\xff\xd8\xff another image")
    world.history.images = {"r1": PICTURE, "r2": later}
    world.row("r1")
    world.other().service.status(world.claims[1].id, None)
    assert world.ends() == ["unknown", "unknown"]
    world.row("r2", number=1)
    ending = world.other().service.status(world.claims[1].id, None).ending
    assert ending
    assert ending.image
    assert (ending.image.sha256, world.ends()) == (later.sha256, ["unknown", "succeeded"])


def test_a_row_that_another_job_took_a_moment_before() -> None:
    """Both saw that the row was free; the one that comes second leaves it alone."""
    world = Lost()
    world.row("r1")
    create = world.objects.create

    def second(
        name: str, data: bytes, kind: str, deadline: Deadline, metadata: dict[str, str] | None = None
    ) -> int | None:
        if name == "settled/r1":
            create(name, b'{"id": "another"}', kind, deadline, {"id": "another"})
        return create(name, data, kind, deadline, metadata)

    world.objects.create = second  # type: ignore[method-assign,assignment]  # another instance is faster
    world.settle("both")
    assert (world.ends(), len(world.slots())) == (["unknown"], 1)


def test_a_row_of_a_job_that_ended_well_is_not_given_again() -> None:
    """An equal request bought its image a moment before; its row is its own, and says nothing of the unknown."""
    world = Lost()
    world.row("r1", created_at=world.claims[0].created_at + timedelta(seconds=2))
    world.generator.scenes = [Scene(seconds=0.0, receipt=replace(RECEIPT, request_id="r1"))]
    world.ask("bought well")
    world.settle()
    assert world.ends() == ["unknown"]


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_a_row_is_given_once_by_many_at_once(rows: int) -> None:
    """Several instances settle three equal jobs at the same time: as many images as rows, one job each."""
    world = Lost("a", "b", "c", apart=1.0)
    for n in range(rows):
        world.row(f"r{n}", number=n)
    others = [world.other() for _ in range(4)]
    with ThreadPoolExecutor(8) as pool:
        done: list[Future[object]] = [pool.submit(other.sweep.run) for other in others]
        done += [pool.submit(o.service.status, c.id, None) for o in others for c in world.claims]
        for future in done:
            future.result()
    world.clock.advance(60)
    world.settle()
    assert sorted(world.ends()) == ["succeeded"] * rows + ["unknown"] * (3 - rows)
    assert len(world.objects.names("settled/")) == rows
    assert (world.usage().images, world.usage().unknown, len(world.slots())) == (rows, 3 - rows, 3)


def steps(status: str) -> int:
    """Return how many storage operations one sweep takes to settle a job."""
    world = Lost()
    world.row(status=status)
    before = len(world.objects.operations)
    world.settle()
    assert world.objects.names("open/") == []
    return len(world.objects.operations) - before


@pytest.mark.parametrize("asks", ["sweep", "get"])
@pytest.mark.parametrize("applied", [False, True])
@pytest.mark.parametrize(
    ("status", "step"), [(status, step) for status in ("COMPLETED", "FAILED") for step in range(steps(status))]
)
def test_killed_anywhere_it_is_settled_once(status: str, step: int, applied: bool, asks: str) -> None:
    """Killed at each step of settling, then settled again: one result, one entry that counts, one slot or none."""
    world = Lost()
    world.row(status=status)
    world.objects.fail(skip=step, times=1, applied=applied, error=Crash)
    with suppress(Crash):
        world.settle(asks)
    world.objects.recover()
    world.settle("both")
    good = status == "COMPLETED"
    assert world.ends() == ["succeeded" if good else "failed"]
    assert world.left().count("result.json") == 1
    usage = world.usage()
    assert (usage.images, usage.unknown, sum(usage.failed.values())) == (good, 0, not good)
    assert (len(world.slots()), world.objects.names("open/"), len(world.generator.bought)) == (good, [], 1)
