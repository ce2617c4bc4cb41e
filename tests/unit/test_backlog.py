"""The queue is a bucket: a job is written once, and can be found until it runs."""

import json
from dataclasses import replace

import pytest

from imagegen.errors import StorageUnavailable
from imagegen.model import ImageRequest, Marker, Order
from imagegen.pipeline.claims import new_claim
from imagegen.pipeline.job_objects import JobObjects
from imagegen.pipeline.job_queue import JobQueue
from imagegen.pipeline.parallel import Parallel
from imagegen.ports import Deadline
from tests.harness.clock import FakeClock
from tests.harness.fakes import REQUEST
from tests.harness.memory import MemoryObjects

ID = "a" * 26
ORDER = Order(REQUEST, "http", "ada", "key-1")


class Queue:
    """A queue over two buckets in memory: job files in `objects`, markers in `results`."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.objects, self.results = MemoryObjects(self.clock), MemoryObjects(self.clock)
        self.backlog = JobQueue(JobObjects(self.results, Parallel()), self.objects, "uploads", self.clock)

    @property
    def soon(self) -> Deadline:
        return Deadline.within(self.clock, 10)

    def mark(self, job: dict[str, object] | None) -> None:
        """Write a marker that is not the queue's."""
        marker = Marker("token", REQUEST.fingerprint, "ada", self.clock.now(), job)
        JobObjects(self.results, Parallel()).mark_open(ID, marker, self.soon)

    def put(self, order: Order = ORDER) -> bool:
        """Queue an order; tell whether it is new."""
        claim = new_claim(replace(order, image_id=ID), self.clock.now(), 0.0)
        put = self.backlog.put(order, claim, self.soon)
        assert put is not None
        return not put[1]


def test_a_job_is_queued_once() -> None:
    """The second of two equal orders finds the first's file: the request's own fields, the key, the owner, the id."""
    queue = Queue()
    first = queue.put()
    file = queue.objects.data(f"jobs/{ID}.json")
    assert (first, queue.put()) == (True, False)
    assert queue.objects.names() == [f"jobs/{ID}.json"]
    assert queue.objects.data(f"jobs/{ID}.json") == file
    written = json.loads(file)
    assert {name: written[name] for name in REQUEST.body()} == REQUEST.body()
    assert (written["idempotencyKey"], written["owner"], written["id"]) == ("key-1", "ada", ID)


@pytest.mark.parametrize("request_", [REQUEST, ImageRequest("another one")])
def test_a_queued_job_is_found_in_the_shape_of_its_claim(request_: ImageRequest) -> None:
    """Id, owner, request, its own fingerprint and the time at which it was queued, and no lease."""
    queue = Queue()
    queue.put(replace(ORDER, request=request_))
    queued_at = queue.clock.now()
    queue.clock.advance(60)
    found = queue.backlog.find(ID, queue.soon)
    assert found is not None
    assert (found.id, found.owner, found.request) == (ID, "ada", request_.public())
    assert found.fingerprint == request_.fingerprint
    assert found.created_at == found.lease_ends_at == queued_at


@pytest.mark.parametrize("job", [None, {}, {"promptText": 7}, {"id": ID}])
def test_a_marker_without_a_job_is_not_queued(job: dict[str, object] | None) -> None:
    """It belongs to a request that is being answered, or to nothing any more."""
    queue = Queue()
    assert queue.backlog.find(ID, queue.soon) is None
    assert (queue.objects.names(), queue.results.names()) == ([], [])
    queue.mark(job)
    assert queue.backlog.find(ID, queue.soon) is None


def refused() -> StorageUnavailable:
    error = StorageUnavailable()
    error.refused = True
    return error


@pytest.mark.parametrize("ours", [True, False])
def test_a_job_file_that_storage_refused_is_withdrawn(ours: bool) -> None:
    """Our own marker goes with it, and the caller is told; another request's marker stays, and the job is queued."""
    queue = Queue()
    if not ours:
        assert queue.put()
        queue.objects.delete(f"jobs/{ID}.json", 1001, queue.soon)

    queue.objects.fail("create", error=refused)
    if ours:
        with pytest.raises(StorageUnavailable):
            queue.put()
    else:
        assert not queue.put()
    assert queue.results.names() == ([] if ours else [f"open/{ID}"])


def test_a_marker_that_storage_refused_leaves_nothing() -> None:
    """It certainly was not written, so nothing has to be put in its way."""
    queue = Queue()

    queue.results.fail("create", times=1, error=refused)
    with pytest.raises(StorageUnavailable):
        queue.put()
    assert (queue.results.names(), queue.objects.names()) == ([], [])


def test_a_marker_that_is_gone_when_it_is_read() -> None:
    """Another request's job ended between our write and our look: where it stands is asked anew."""
    queue = Queue()
    queue.mark(None)  # of a request that is being answered
    claim = new_claim(replace(ORDER, image_id=ID), queue.clock.now(), 0.0)
    assert queue.backlog.put(ORDER, claim, queue.soon) is None
    assert queue.objects.names() == []
