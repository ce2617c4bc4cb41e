"""Storage that fails: retried inside the caller's own deadline, then StorageUnavailable, and never half an object."""

import gc
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from imagegen.clock import SystemClock
from imagegen.errors import StorageUnavailable
from imagegen.google import storage as gcs
from imagegen.google.json_api import JsonApi
from imagegen.google.storage import GcsObjects
from imagegen.ports import Deadline
from local.storage import StorageServer
from tests.harness.stubs import Stub, answer, wait

# The storage client reads a download as a stream and leaves the body of an error in it, so the socket is closed by
# the garbage collector.
pytestmark = pytest.mark.filterwarnings(
    "ignore:unclosed <socket:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
NAME = "jobs/1/image.jpg"
DATA = b"0123456789" * 50_000
Operation = Callable[[GcsObjects, Deadline], object]
OPERATIONS: dict[str, Operation] = {
    "create": lambda objects, until: objects.create("jobs/1/claim.json", b"token", "application/json", until),
    "read": lambda objects, until: objects.read(NAME, until),
    "stat": lambda objects, until: objects.stat(NAME, until),
    "stream": lambda objects, until: list(objects.stream(NAME, until) or ()),
    "list": lambda objects, until: list(objects.list("jobs/", until)),
    "delete": lambda objects, until: objects.delete(NAME, 1, until),
}
every_operation = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)


def soon(seconds: float = 1.0) -> Deadline:
    return Deadline.within(SystemClock(), seconds)


@pytest.fixture(autouse=True)
def stored(storage: StorageServer) -> Iterator[None]:
    storage.put("results", NAME, DATA)
    yield
    gc.collect()


def fails(monkeypatch: pytest.MonkeyPatch, url: str, operation: Operation, seconds: float = 0.2) -> None:
    """Assert that storage at this address is not available to a client with so much time."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", url)
    client = gcs.client(8)
    with pytest.raises(StorageUnavailable):
        operation(GcsObjects(client, "results"), soon(seconds))
    client.close()


@every_operation
@pytest.mark.parametrize("reset", [False, True])
def test_trouble_that_passes_is_not_seen(
    objects: GcsObjects, storage: StorageServer, operation: Operation, reset: bool
) -> None:
    """Two 503s in a row are retried, and a connection that breaks is made again."""
    fault = storage.faults.reset() if reset else storage.faults.answer(503, times=2)
    operation(objects, soon(10))
    assert fault.fired == 2 - reset


@every_operation
@pytest.mark.parametrize("silent", [False, True])
def test_trouble_that_lasts_is_told(
    objects: GcsObjects, storage: StorageServer, operation: Operation, silent: bool
) -> None:
    """503s or silence: at the caller's deadline, not at the client's own of two minutes."""
    fault = storage.faults.hang(times=1_000) if silent else storage.faults.answer(503, times=1_000)
    with pytest.raises(StorageUnavailable):
        operation(objects, soon(0.2))
    assert fault.fired


@every_operation
def test_a_403_is_told_at_once(objects: GcsObjects, storage: StorageServer, operation: Operation) -> None:
    """A missing role does not come back by asking again."""
    fault = storage.faults.answer(403, times=1_000)
    with pytest.raises(StorageUnavailable):
        operation(objects, soon(10))
    assert fault.fired == 1


@every_operation
def test_nobody_listens(monkeypatch: pytest.MonkeyPatch, operation: Operation) -> None:
    """No connection until the deadline is StorageUnavailable as well."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))  # and never listens: no other process takes the port meanwhile
        fails(monkeypatch, f"http://127.0.0.1:{deaf.getsockname()[1]}", operation)


@pytest.mark.parametrize("operation", [OPERATIONS["create"], OPERATIONS["list"]], ids=["create", "list"])
def test_a_bucket_that_does_not_exist(gcs_api: JsonApi, operation: Operation) -> None:
    """The operator's mistake is StorageUnavailable, not a bug of ours."""
    with pytest.raises(StorageUnavailable):
        operation(GcsObjects(gcs_api, "no-such-bucket"), soon())


@every_operation
def test_a_deadline_that_has_passed(monkeypatch: pytest.MonkeyPatch, operation: Operation) -> None:
    """With no time left no call waits for a storage that accepts calls and says nothing."""
    with Stub(wait) as silent:
        fails(monkeypatch, silent.url, operation, 0)


@pytest.mark.parametrize("times", [1, 1_000])
def test_half_an_object_is_never_returned(objects: GcsObjects, storage: StorageServer, times: int) -> None:
    """A body that ends early is read again, or is an error: the caller never takes the half for the whole."""
    fault = storage.faults.cut(name=NAME, times=times)
    try:
        assert objects.read(NAME, soon(3)) == DATA
    except StorageUnavailable:
        assert fault.fired > 0


def test_a_stream_that_breaks_breaks_for_its_reader(objects: GcsObjects, storage: StorageServer) -> None:
    """The answer's head is out by then: a reset tells the caller, a silent end would look like the whole."""
    storage.faults.cut(name=NAME)
    pieces = objects.stream(NAME, soon())
    assert pieces is not None
    with pytest.raises(ConnectionResetError):
        list(pieces)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b"{}"])
def test_a_write_that_storage_did_not_confirm_is_not_done(monkeypatch: pytest.MonkeyPatch, body: bytes) -> None:
    """Only an answer that names the new object's generation says that the image is safe."""
    with Stub(answer("HTTP/1.1 200 OK\nContent-Type: application/json", body)) as stub:
        fails(monkeypatch, stub.url, OPERATIONS["create"])


def test_an_answer_that_drips_ends_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte now and then is not progress: the whole answer has to be there."""

    def drip(connection: socket.socket, request: bytes) -> None:
        del request
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(999):
            connection.sendall(b"{")
            sent.append(1)
            stopped.wait(0.05)

    stopped, sent = threading.Event(), list[int]()
    with Stub(drip) as stub:
        fails(monkeypatch, stub.url, OPERATIONS["list"], 0.3)
    stopped.set()
    assert len(sent) < 999


def test_a_slow_reader_of_a_stream_is_not_cut_off(
    objects: GcsObjects, storage: StorageServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Storage's time is counted while it is waited for, not while the caller takes its time between two pieces."""
    data = b"0123456789" * 1_000_000
    storage.put("results", "jobs/1/large.jpg", data)
    pieces = objects.stream("jobs/1/large.jpg", soon(10))
    assert pieces is not None
    first = next(pieces)
    real = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: real() + 60.0)
    second = next(pieces)
    assert first + second + b"".join(pieces) == data
