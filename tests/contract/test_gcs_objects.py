"""The results bucket over the real storage client: what is written, found, listed and deleted, and by whom."""

import pytest

from imagegen.clock import SystemClock
from imagegen.google import storage as gcs
from imagegen.google.storage import GcsObjects
from imagegen.ports import Deadline
from local.storage import StorageServer
from local.storage.faults import Fault

JSON = "application/json"
NAME = "jobs/1/claim.json"


def soon(seconds: float = 10.0) -> Deadline:
    return Deadline.within(SystemClock(), seconds)


def test_an_object_is_written_as_it_is(objects: GcsObjects, storage: StorageServer) -> None:
    """Bytes, type, metadata; the generation is the one that is there."""
    generation = objects.create(NAME, b"\x00\xff", "image/png", soon(), {"sha256": "ab", "width": "1"})
    there = storage.object("results", NAME)
    assert storage.read("results", NAME) == b"\x00\xff"
    info = objects.stat(NAME, soon())
    assert info
    assert (info.generation, info.size, info.content_type) == (generation, 2, "image/png")
    assert dict(info.metadata) == {"sha256": "ab", "width": "1"}
    assert there.generation == generation


def test_only_the_first_create_wins(objects: GcsObjects, storage: StorageServer) -> None:
    """What exists is never overwritten; the second create returns None."""
    assert objects.create(NAME, b"mine", JSON, soon())
    assert objects.create(NAME, b"yours", JSON, soon()) is None
    assert storage.read("results", NAME) == b"mine"


def test_a_lost_answer_does_not_make_somebody_elses_object_ours(objects: GcsObjects, storage: StorageServer) -> None:
    """Of the same length even: only the same bytes, token included, are ours."""
    storage.put("results", NAME, b"token 2")
    storage.faults.answer(503, method="POST")
    assert objects.create(NAME, b"token 1", JSON, soon()) is None


@pytest.mark.parametrize("data", [b"", b"x", bytes(range(256)) * 12_000])
def test_an_object_is_read_whole(objects: GcsObjects, storage: StorageServer, data: bytes) -> None:
    """In one piece or in many: however large the image, a reader holds a quarter of a mebibyte of it."""
    storage.put("results", NAME, data)
    assert objects.read(NAME, soon()) == data
    pieces = list(objects.stream(NAME, soon()) or ())
    assert b"".join(pieces) == data
    assert max(map(len, pieces), default=0) == min(len(data), gcs.STREAM_CHUNK)


@pytest.mark.parametrize("dropped", [False, True])
def test_a_call_whose_answer_was_lost_is_recognised(objects: GcsObjects, storage: StorageServer, dropped: bool) -> None:
    """A write's repetition meets itself as a 412, and what is there is ours; a delete's finds nothing, as wanted."""

    def lose(method: str) -> Fault:
        faults = storage.faults
        return faults.drop(method=method) if dropped else faults.answer(503, method=method, applied=True)

    fault = lose("POST")
    generation = objects.create(NAME, b"token 1", JSON, soon())
    assert (fault.fired, generation) == (1, storage.object("results", NAME).generation)
    assert generation
    lost = lose("DELETE")
    objects.delete(NAME, generation, soon())
    assert (lost.fired, storage.objects("results")) == (1, [])


def test_what_is_not_there_is_none(objects: GcsObjects, storage: StorageServer) -> None:
    """Neither an error nor an empty object; nor is, by its generation, one that was replaced since."""
    assert objects.read(NAME, soon()) is None
    assert objects.stream(NAME, soon()) is None
    assert objects.stat(NAME, soon()) is None
    assert list(objects.list("jobs/", soon())) == []
    generation = storage.put("results", NAME, b"first").generation
    storage.put("results", NAME, b"second")
    assert objects.read(NAME, soon(), generation) is None
    assert objects.stat(NAME, soon(), generation) is None
    assert objects.read(NAME, soon()) == b"second"


def test_a_listing_has_all_pages(objects: GcsObjects, storage: StorageServer) -> None:
    """More objects than a page holds come in order of name, each once, and no neighbour of the prefix."""
    for number in range(1_050):
        storage.put("results", f"spend/2026-03-14/{number:04}", b"")
    storage.put("results", "spend/2026-03-15/0", b"")
    names = [info.name for info in objects.list("spend/2026-03-14/", soon())]
    assert names == [f"spend/2026-03-14/{number:04}" for number in range(1_050)]


def test_a_listing_knows_each_object(objects: GcsObjects, storage: StorageServer) -> None:
    """Size, type, generation, metadata and age, without a call for each."""
    storage.put("results", NAME, b"abc", content_type="image/webp", token="t")
    before = len(storage.calls)
    (info,) = objects.list("jobs/1/", soon())
    assert (info.size, info.content_type, info.metadata) == (3, "image/webp", {"token": "t"})
    assert info.generation == storage.object("results", NAME).generation
    assert info.created_at.tzinfo
    assert len(storage.calls) == before + 1


def test_only_the_generation_named_is_deleted(objects: GcsObjects, storage: StorageServer) -> None:
    """An object that was written since is left alone; what is gone already is fine."""
    generation = storage.put("results", NAME, b"first").generation
    storage.put("results", NAME, b"second")
    objects.delete(NAME, generation, soon())
    assert storage.read("results", NAME) == b"second"
    objects.delete(NAME, storage.object("results", NAME).generation, soon())
    objects.delete(NAME, generation, soon())
    assert storage.objects("results") == []
