"""A batch → jobs: a pure reading of it, then one order each, in the batch's order."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.doors import batches
from imagegen.doors.batches import Batch
from imagegen.errors import InvalidRequest, StorageUnavailable
from imagegen.pipeline.claims import image_id
from imagegen.references.rules import Rules
from tests import strategies
from tests.harness.fakes import Scene, World

SCHEDULED = "2026-03-14T12:00:00Z"
RULES = Rules("uploads")


class Queue:
    """The real service with a queue in memory."""

    def __init__(self) -> None:
        self.world = World(queues=True)
        self.uploads, self.service = self.world.uploads, self.world.service

    def post(self, batch: Batch, at: str = SCHEDULED) -> list[str]:
        return [outcome.claim.id for outcome in batches.queue(batch, at, self.service)]


def batch(count: int, name: str = "nightly") -> Batch:
    images = [{"promptText": f"boat {i}", "referenceImages": []} for i in range(count)]
    return batches.parse(json.dumps({"name": name, "images": images}).encode(), RULES)


def test_the_key_is_name_time_and_index() -> None:
    """So the id of each image is known before the scheduler calls, and the same for each of its deliveries."""
    assert Queue().post(batch(3)) == [image_id("", f"nightly/{SCHEDULED}/{i}") for i in range(3)]


@given(st.integers(0, 9))
def test_a_batch_that_broke_anywhere_is_completed(done: int) -> None:
    """Storage fails at any one of its writes: the repeated batch queues the rest, and every image is queued once."""
    queue = Queue()
    queue.world.objects.fail("create", skip=done)
    with pytest.raises(StorageUnavailable):
        queue.post(batch(10))
    queue.world.objects.recover()
    outcomes = batches.queue(batch(10), SCHEDULED, queue.service)
    assert len({outcome.claim.id for outcome in outcomes}) == len(queue.uploads.names()) == 10
    assert sum(outcome.replayed for outcome in outcomes) == done


@pytest.mark.parametrize("done", [0, 4, 9])
def test_a_job_file_that_storage_refused_is_queued(done: int) -> None:
    """Its marker has the job: the repeated batch writes the file, and without one the sweep buys the image, once."""
    queue = Queue()
    queue.uploads.fail("create", skip=done)
    ids = queue.post(batch(10))
    queue.uploads.recover()
    queue.world.generator.scenes = [Scene(seconds=0.0)] * 10
    assert len(queue.uploads.names()) == done
    queue.world.clock.advance(16 * 60)
    assert queue.world.sweep.run()["finished"] == 10
    assert [queue.service.status(one, None).ending is not None for one in ids] == [True] * 10
    assert queue.post(batch(10)) == ids
    assert len(queue.world.generator.bought) == 10


NAMES = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=100)


@given(NAMES, st.lists(strategies.bodies, min_size=1, max_size=5))
def test_a_good_batch_comes_through_whole(name: str, bodies: list[dict[str, object]]) -> None:
    """Every request as it was asked, in its order; a name is 1 to 100 visible ASCII characters."""
    found = batches.parse(json.dumps({"name": name, "images": bodies}).encode(), RULES)
    assert found.name == name
    assert [image.body() for image in found.images] == [{"ratio": "1280:720", **body} for body in bodies]


@given(st.lists(st.one_of(strategies.bodies, strategies.almost_bodies, strategies.json_values), max_size=5))
def test_any_batch(images: list[object]) -> None:
    """A batch of so many requests, or problems that point at an image that is there, or at the whole."""
    whole = {"", "/images"}
    try:
        found = batches.parse(strategies.as_json({"name": "n", "images": images}), RULES)
    except InvalidRequest as error:
        inside = [problem.pointer for problem in error.problems if problem.pointer not in whole]
        assert all(int(pointer.split("/")[2]) < len(images) for pointer in inside)
    else:
        assert len(found.images) == len(images)


def test_problems_are_cut_to_what_can_be_shown() -> None:
    """A thousand broken images are not a thousand problems in one answer."""
    body = json.dumps({"name": "n", "images": [{}] * 1000}).encode()
    with pytest.raises(InvalidRequest) as caught:
        batches.parse(body, RULES)
    assert len(caught.value.problems) == 100
