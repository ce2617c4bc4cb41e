"""Scripted faults hit the calls they are meant for, do to the real client what they say, and report it."""

from collections.abc import Iterator

import pytest
import requests
from google.api_core import exceptions
from google.api_core.retry import Retry
from google.auth.exceptions import InvalidOperation
from google.cloud import storage as gcs
from google.cloud.storage.retry import DEFAULT_RETRY

from local.storage import StorageServer
from tests.contract.storage_clients import client_of

RETRY: Retry = DEFAULT_RETRY.with_delay(initial=0.01, maximum=0.01)


@pytest.fixture
def bucket(storage: StorageServer) -> Iterator[gcs.Bucket]:
    client = client_of(storage.url)
    yield client.bucket("results")
    client.close()


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, InvalidOperation),  # the client tries to refresh its credentials, and has none
        (403, exceptions.Forbidden),
        (429, exceptions.TooManyRequests),
        (500, exceptions.InternalServerError),
        (503, exceptions.ServiceUnavailable),
    ],
)
@pytest.mark.parametrize("lies", [False, True])
def test_an_error_status_reaches_the_client(
    storage: StorageServer, bucket: gcs.Bucket, status: int, error: type[Exception], lies: bool
) -> None:
    """Nothing is written, unless the status lies about a write that was applied."""
    fault = storage.faults.answer(status, applied=lies)
    with pytest.raises(error):
        bucket.blob("one").upload_from_string(b"1", retry=None)
    assert (fault.fired, storage.objects("results")) == (1, ["one"] * lies)
    assert storage.calls[-1].status == status


def test_faults_end_after_their_number_and_the_client_gets_through(storage: StorageServer, bucket: gcs.Bucket) -> None:
    fault = storage.faults.answer(503, times=3)
    bucket.blob("one").upload_from_string(b"1", if_generation_match=0, retry=RETRY)
    assert (fault.fired, storage.objects("results")) == (3, ["one"])
    assert [call.status for call in storage.calls] == [503, 503, 503, 200]


def test_a_dropped_answer_makes_the_retry_meet_its_own_write(storage: StorageServer, bucket: gcs.Bucket) -> None:
    """The ambiguous write: it was applied, its answer lost, and the retry is refused by what the first try wrote."""
    fault = storage.faults.drop(method="POST", name="claim.json")
    with pytest.raises(exceptions.PreconditionFailed):
        bucket.blob("claim.json").upload_from_string(b"mine", if_generation_match=0, retry=RETRY)
    assert fault.fired == 1
    assert storage.read("results", "claim.json") == b"mine"
    assert [(call.name, call.status) for call in storage.calls] == [("claim.json", 0), ("claim.json", 412)]


def test_a_reset_before_the_write_leaves_nothing(storage: StorageServer, bucket: gcs.Bucket) -> None:
    storage.faults.reset(times=2)
    for attempt in (b"1", bytes(3_000_000)):
        with pytest.raises(requests.ConnectionError):
            bucket.blob("one").upload_from_string(attempt, retry=None)
    assert storage.objects("results") == []


def test_a_cut_download_is_noticed_by_the_client(storage: StorageServer, bucket: gcs.Bucket) -> None:
    storage.put("results", "one", b"0123456789")
    storage.faults.cut(method="GET", name="one")
    with pytest.raises(requests.RequestException):
        bucket.blob("one").download_as_bytes(retry=None)
    assert bucket.blob("one").download_as_bytes() == b"0123456789"


def test_a_hanging_call_ends_by_the_clients_own_deadline(storage: StorageServer, bucket: gcs.Bucket) -> None:
    fault = storage.faults.hang(name="one")
    with pytest.raises(requests.Timeout):
        bucket.blob("one").upload_from_string(b"1", timeout=0.2, retry=None)
    assert (fault.fired, storage.objects("results")) == (1, [])


def test_a_fault_hits_only_what_it_names(storage: StorageServer, bucket: gcs.Bucket) -> None:
    """By verb, by object name, by path and not before its turn; the name counts for every way in."""
    storage.put("results", "jobs/1/result.json", b"{}")
    fault = storage.faults.answer(503, method="POST", name="jobs/*/result.json", path="/upload/", skip=1)
    bucket.blob("jobs/1/claim.json").upload_from_string(b"{}", retry=None)
    bucket.blob("jobs/1/result.json").download_as_bytes(retry=None)
    bucket.blob("jobs/2/result.json").upload_from_string(b"{}", retry=None)
    assert fault.fired == 0
    with pytest.raises(exceptions.ServiceUnavailable):
        bucket.blob("jobs/3/result.json").upload_from_string(b"{}", retry=None)
    assert fault.fired == 1


def test_a_fault_on_a_resumable_upload_hits_its_start_or_its_chunks(storage: StorageServer, bucket: gcs.Bucket) -> None:
    start = storage.faults.answer(503, method="POST", name="stream")
    chunk = storage.faults.answer(503, method="PUT", name="stream", skip=1)
    with bucket.blob("stream").open("wb", chunk_size=1 << 18, if_generation_match=0, retry=RETRY) as file:
        file.write(bytes(600_000))
    assert (start.fired, chunk.fired, len(storage.read("results", "stream"))) == (1, 1, 600_000)


def test_unmet_faults_are_told(storage: StorageServer) -> None:
    fault = storage.faults.answer(503)
    assert storage.faults.unfired() == [fault]
    storage.faults.clear()
    assert storage.faults.unfired() == []


def test_objects_are_seen_from_another_process(storage: StorageServer) -> None:
    storage.put("results", "one", b"1")
    storage.put("results", "two", b"2")
    asked = {"bucket": "results", "prefix": "o"}
    listed = requests.get(f"{storage.url}/_local/objects", params=asked, timeout=30).json()
    assert [(item["name"], item["size"]) for item in listed] == [("one", "1")]
    assert list(storage.calls) == []
