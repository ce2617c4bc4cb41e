"""The queue is a bucket: a job is written once, and can be found until it runs."""

import json
from dataclasses import replace

import pytest

from imagegen.errors import StorageUnavailable
from imagegen.model import ImageRequest, Order
from imagegen.pipeline.job_queue import JobQueue
from imagegen.ports import Deadline
from tests.harness.clock import FakeClock
from tests.harness.fakes import REQUEST
from tests.harness.memory import MemoryObjects

ID = "a" * 26
ORDER = Order(REQUEST, "http", "ada", "key-1")


class Queue:
    """A backlog over a bucket in memory."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.objects = MemoryObjects(self.clock)
        self.backlog = JobQueue(self.objects, "uploads", self.clock)

    @property
    def soon(self) -> Deadline:
        return Deadline.within(self.clock, 10)

    def put(self, order: Order = ORDER) -> bool:
        return self.backlog.put(order, ID, self.soon)


def test_a_job_is_queued_once() -> None:
    """The second of two equal orders finds the first's file, and leaves it as it is."""
    queue = Queue()
    first = queue.put()
    file = queue.objects.data(f"jobs/{ID}.json")
    assert (first, queue.put()) == (True, False)
    assert queue.objects.names() == [f"jobs/{ID}.json"]
    assert queue.objects.data(f"jobs/{ID}.json") == file


def test_a_file_is_the_http_request_and_its_address() -> None:
    """What is queued can be read by people: the request's own fields, the key, the owner, the id."""
    queue = Queue()
    queue.put()
    written = json.loads(queue.objects.data(f"jobs/{ID}.json"))
    assert {name: written[name] for name in REQUEST.body()} == REQUEST.body()
    assert (written["idempotencyKey"], written["owner"], written["id"]) == ("key-1", "ada", ID)


def test_a_queued_job_is_found_in_the_shape_of_its_claim() -> None:
    """Id, owner, request, fingerprint and the time at which it was queued, and no lease: nobody holds it."""
    queue = Queue()
    queue.put()
    queued_at = queue.clock.now()
    queue.clock.advance(60)
    found = queue.backlog.find(ID, queue.soon)
    assert found is not None
    assert (found.id, found.owner, found.request) == (ID, "ada", REQUEST.public())
    assert found.fingerprint == REQUEST.fingerprint
    assert found.created_at == found.lease_ends_at == queued_at


def test_another_request_has_another_fingerprint() -> None:
    """Which is how a key that is used twice is noticed while its job waits."""
    queue = Queue()
    queue.put(replace(ORDER, request=ImageRequest("another one")))
    found = queue.backlog.find(ID, queue.soon)
    assert found is not None
    assert found.fingerprint != REQUEST.fingerprint


def test_what_is_not_queued_is_not_found() -> None:
    """No file, no claim, and nothing is made of asking."""
    queue = Queue()
    assert queue.backlog.find(ID, queue.soon) is None
    assert queue.objects.names() == []


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"{}", b"\xff", b'{"promptText": 7}'])
def test_a_file_that_is_no_job_is_not_found(data: bytes) -> None:
    """Somebody else's file under a job's name is nobody's image."""
    queue = Queue()
    queue.objects.create(f"jobs/{ID}.json", data, "application/json", queue.soon)
    assert queue.backlog.find(ID, queue.soon) is None


@pytest.mark.parametrize("applied", [False, True])
def test_storage_that_fails_is_an_error(applied: bool) -> None:
    """A job that may not be queued is never said to be."""
    queue = Queue()
    queue.objects.fail("create", applied=applied)
    with pytest.raises(StorageUnavailable):
        queue.put()
