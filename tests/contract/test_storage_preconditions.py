"""Preconditions hold on every verb and in every race: that is what write-once claims and slots stand on."""

import json
import multiprocessing
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
import requests
from google.api_core import exceptions
from google.cloud import storage as gcs
from google.cloud.storage.exceptions import InvalidResponse

from local.storage import StorageServer
from tests.contract.storage_clients import Cloud, client_of

pytest_plugins = ["tests.contract.storage_oracle"]

PROCESSES, THREADS = 4, 5
INCREMENTS = 5


@pytest.fixture
def existing(cloud: Cloud) -> gcs.Blob:
    """Return an object that holds `first`."""
    blob = cloud.bucket.blob("one")
    blob.upload_from_string(b"first")
    return blob


def test_a_write_needs_the_generation_that_is_there(cloud: Cloud, existing: gcs.Blob) -> None:
    """0 only creates."""
    for name, wanted in (("one", 0), ("one", existing.generation - 1), ("none", 12345)):
        with pytest.raises(exceptions.PreconditionFailed):
            cloud.bucket.blob(name).upload_from_string(b"second", if_generation_match=wanted)
    assert (existing.download_as_bytes(), cloud.bucket.blob("none").exists()) == (b"first", False)
    for name, wanted in (("two", 0), ("one", existing.generation)):
        cloud.bucket.blob(name).upload_from_string(b"second", if_generation_match=wanted)
        assert cloud.bucket.blob(name).download_as_bytes() == b"second"


def stream(cloud: Cloud, name: str, data: bytes, meanwhile: Callable[[], object] = str) -> None:
    """Create in chunks, calling `meanwhile` between the first and the last."""
    file = cloud.bucket.blob(name).open("wb", if_generation_match=0, chunk_size=1 << 18)
    try:
        file.write(data)
        meanwhile()
        file.close()
    except InvalidResponse:
        file._buffer.close()  # the client leaves it open; from 3.13 on its finalizer would upload again, and say so
        raise


@pytest.mark.parametrize("overtaken", [False, True])
def test_a_streamed_create_only_creates(cloud: Cloud, overtaken: bool) -> None:
    """Checked when the object would appear, not only when the session is opened; the client raises its own error."""
    rival = cloud.bucket.blob("one")

    def write() -> None:
        rival.upload_from_string(b"rival", if_generation_match=0)

    if not overtaken:
        write()
    with pytest.raises(InvalidResponse) as refused:
        stream(cloud, "one", b"slow" * 100_000, write if overtaken else str)
    assert refused.value.response.status_code == 412
    assert cloud.bucket.blob("one").download_as_bytes() == b"rival"


CONDITIONS: dict[str, Callable[[gcs.Blob], dict[str, int]]] = {
    "another generation": lambda blob: {"if_generation_match": blob.generation + 1},
    "generation 0": lambda _: {"if_generation_match": 0},
    "another metageneration": lambda _: {"if_metageneration_match": 99},
}
VERBS: dict[str, Callable[[gcs.Blob, dict[str, Any]], object]] = {
    "overwrite": lambda blob, condition: blob.upload_from_string(b"second", **condition),
    "download": lambda blob, condition: blob.download_as_bytes(**condition),
    "metadata": lambda blob, condition: blob.reload(**condition),
    "delete": lambda blob, condition: blob.delete(**condition),
}


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("verb", VERBS)
def test_no_verb_ignores_a_condition_that_does_not_hold(existing: gcs.Blob, verb: str, condition: str) -> None:
    with pytest.raises(exceptions.PreconditionFailed):
        VERBS[verb](existing, CONDITIONS[condition](existing))
    assert existing.download_as_bytes() == b"first"


@pytest.mark.parametrize("verb", VERBS)
def test_no_verb_refuses_a_condition_that_holds(cloud: Cloud, existing: gcs.Blob, verb: str) -> None:
    before = existing.generation
    VERBS[verb](existing, {"if_generation_match": before, "if_metageneration_match": 1})
    after = cloud.bucket.get_blob("one")
    if verb == "delete":
        assert after is None
    else:
        assert (after.generation > before) == (verb == "overwrite")


def test_a_reader_that_has_this_version_already_gets_304(cloud: Cloud, existing: gcs.Blob) -> None:
    with pytest.raises(exceptions.NotModified):
        cloud.bucket.blob("one").reload(if_generation_not_match=existing.generation)
    cloud.bucket.blob("one").reload(if_generation_not_match=existing.generation + 1)


def test_a_writer_that_wants_any_other_version_gets_412(existing: gcs.Blob) -> None:
    with pytest.raises(exceptions.PreconditionFailed):
        existing.delete(if_generation_not_match=existing.generation)
    existing.delete(if_generation_not_match=existing.generation + 1)
    assert not existing.exists()


@pytest.mark.parametrize("value", ["x", "", "1.5"])
def test_a_condition_that_is_no_number_is_a_bad_request(storage: StorageServer, value: str) -> None:
    storage.put("results", "one", b"first")
    url = f"{storage.url}/storage/v1/b/results/o/one?ifGenerationMatch={value}"
    assert requests.delete(url, timeout=30).status_code == 400
    assert storage.objects("results") == ["one"]


def create(client: gcs.Client, bucket: str, number: int) -> bool:
    """Create the one object; True if this call won."""
    try:
        client.bucket(bucket).blob("claim.json").upload_from_string(json.dumps(number), if_generation_match=0)
    except exceptions.PreconditionFailed:
        return False
    return True


def increment(client: gcs.Client, bucket: str, _number: int) -> None:
    """Add one to the counter some times over: version first, value then, so a stale pair cannot be written."""
    done = 0
    while done < INCREMENTS:
        version = client.bucket(bucket).get_blob("counter").generation
        value = int(client.bucket(bucket).blob("counter").download_as_bytes())
        with suppress(exceptions.PreconditionFailed):
            client.bucket(bucket).blob("counter").upload_from_string(str(value + 1), if_generation_match=version)
            done += 1


def race(url: str, bucket: str, call: str, first: int, start: Any, results: Any) -> None:  # noqa: ANN401
    """Run in a process of its own: `THREADS` calls at once, when every process is ready."""
    client = client_of(url)
    ready = threading.Barrier(THREADS + 1)

    def run(number: int) -> object:
        ready.wait()
        return globals()[call](client, bucket, number)

    with ThreadPoolExecutor(THREADS) as pool:
        futures = [pool.submit(run, first + number) for number in range(THREADS)]
        start.wait()
        ready.wait()
        for future in futures:
            results.put(future.result())


def run_race(cloud: Cloud, call: str) -> list[Any]:
    """Return what each of all racers' calls gave."""
    context = multiprocessing.get_context("spawn")
    start, results = context.Barrier(PROCESSES), context.Queue()
    firsts = range(0, PROCESSES * THREADS, THREADS)
    racers = [
        context.Process(target=race, args=(cloud.url, cloud.bucket.name, call, first, start, results))
        for first in firsts
    ]
    for racer in racers:
        racer.start()
    answers = [results.get() for _ in range(PROCESSES * THREADS)]
    for racer in racers:
        racer.join()
    results.close()
    return answers


def test_of_twenty_racing_creates_one_wins(cloud: Cloud) -> None:
    answers = run_race(cloud, "create")
    assert sorted(answers) == [False] * (PROCESSES * THREADS - 1) + [True]


def test_a_hundred_compare_and_swap_increments_lose_none(cloud: Cloud) -> None:
    cloud.bucket.blob("counter").upload_from_string("0")
    run_race(cloud, "increment")
    assert cloud.bucket.blob("counter").download_as_bytes() == str(PROCESSES * THREADS * INCREMENTS).encode()
