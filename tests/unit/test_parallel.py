"""Writes that are made at the same time: in any order, with a death at any of them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from imagegen.errors import StorageUnavailable
from imagegen.failure import ServiceError
from imagegen.pipeline.claims import image_id
from imagegen.pipeline.parallel import Parallel, errors_of, returned, value_of
from tests.harness.fakes import Crash, Scene, World

ID = image_id("ada", "key-1")
ENDINGS = {"good": Scene(), "v2": Scene(submits="seg-1"), "free": Scene(raised=StorageUnavailable("away"))}
STEPS = 12


@pytest.fixture(scope="module", params=[0, 8], ids=["alone", "pool"])
def pool(request: pytest.FixtureRequest) -> Iterator[ThreadPoolExecutor | None]:
    """No pool, where calls follow each other, and one of eight threads."""
    with ThreadPoolExecutor(8) as found:
        yield found if request.param else None


def test_errors_come_with_their_calls(pool: ThreadPoolExecutor | None) -> None:
    """A call's error is its own, and the other calls' values are there."""
    parallel = Parallel(pool)
    good, bad = parallel.start(lambda: 1), parallel.start(lambda: 1 // 0)
    assert [type(error) for error in errors_of(good, bad, returned(2))] == [ZeroDivisionError]
    assert (value_of(good), value_of(bad), value_of(returned(2))) == (1, None, 2)


@pytest.mark.parametrize("applied", [False, True])
@pytest.mark.parametrize("step", range(STEPS))
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_death_among_them(pool: ThreadPoolExecutor | None, ending: str, step: int, applied: bool) -> None:
    """Never bought twice, never a slot without a job, and after one sweep account, slots and bucket agree."""
    world = World(ENDINGS[ending], per_day=5, per_user=5, pool=pool)
    world.objects.fail(skip=step, times=1, applied=applied, error=Crash)
    with suppress(Crash, ServiceError):
        world.ask(owner="ada")
    world.objects.recover()
    world.generator.scenes = []
    bought = len(world.generator.bought)
    world.end_lease()
    world.other().sweep.run()
    usage = world.usage()
    assert usage.images + usage.unknown == len({"result.json", "lost.json"} & set(world.left()))
    ending_now = world.other().end(owner="ada")
    assert len(world.generator.bought) <= (1 if bought and ending != "free" else bought + 1)
    usage = world.usage()
    assert usage.images + usage.unknown == 1
    assert usage.images == (ending_now.status == "succeeded")
    world.end_lease()
    world.other().sweep.run()
    assert len(world.objects.names("open/")) == usage.unknown
    assert len(world.slots()) <= 2
    assert len(world.slots()) == 2 or usage.unknown


@pytest.mark.parametrize("name", ["claim.json", "open/*", "sent.json", "spend/*/?", "spend/*/users/*"])
@pytest.mark.parametrize("applied", [False, True])
def test_one_of_them_fails(pool: ThreadPoolExecutor | None, name: str, applied: bool) -> None:
    """Nothing is bought, all the others are taken back, and the key can be used at once."""
    world = World(per_day=5, per_user=5, pool=pool)
    world.objects.fail("create", f"*{name}", times=1, applied=applied)
    with pytest.raises(StorageUnavailable):
        world.ask(owner="ada")
    assert world.generator.bought == []
    assert world.objects.names() == ([f"open/{ID}"] if applied and name == "open/*" else [])
    assert world.ask(owner="ada").ending
    assert (len(world.generator.bought), len(world.slots())) == (1, 2)
