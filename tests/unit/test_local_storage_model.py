"""Preconditions, attributes and listings as rules, without a server."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.storage.errors import StorageError
from local.storage.model import Preconditions, StoredObject
from local.storage.store import Objects

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSIONS = st.none() | st.integers(0, 3)


def stored(generation: int, metageneration: int) -> StoredObject:
    return StoredObject("b", "n", generation, metageneration, 0, "", "", "", "", "", {})


def refusal(conditions: Preconditions, found: StoredObject | None, *, reading: bool) -> int:
    """Return the status of the refusal, 0 if there is none."""
    try:
        if reading and found:
            conditions.check_read(found)
        else:
            conditions.check_write(found)
    except StorageError as error:
        return error.status
    return 0


@given(VERSIONS, VERSIONS, VERSIONS, VERSIONS, st.booleans(), st.booleans())
def test_conditions_hold_exactly_when_every_one_does(
    match: int | None, unmatch: int | None, meta: int | None, unmeta: int | None, exists: bool, reading: bool
) -> None:
    found = stored(2, 1) if exists else None
    generation, metageneration = (2, 1) if exists else (0, 0)
    matches = match in {None, generation} and meta in {None, metageneration}
    unwanted = unmatch == generation or unmeta == metageneration
    expected = 412 if not matches else (304 if reading and exists else 412) if unwanted else 0
    assert refusal(Preconditions(match, unmatch, meta, unmeta), found, reading=reading) == expected


@pytest.fixture
def objects(tmp_path: Path) -> Iterator[Objects]:
    store = Objects(tmp_path)
    yield store
    store.close()


def write(objects: Objects, name: str, data: bytes = b"") -> StoredObject:
    return objects.commit("b", name, objects.stage().fill([data]), {})


def test_generations_only_grow(objects: Objects) -> None:
    generations = [write(objects, name).generation for name in "abcabc" * 50]
    assert generations == sorted(set(generations))


def test_an_overwritten_or_deleted_content_is_gone_from_disk(objects: Objects, tmp_path: Path) -> None:
    for data in (b"1", b"2", b"3"):
        write(objects, "one", data)
    write(objects, "two")
    objects.delete("b", "two")
    assert [path.read_bytes() for path in (tmp_path / "contents").iterdir()] == [b"3"]


def test_a_stream_that_fails_leaves_no_file(objects: Objects, tmp_path: Path) -> None:
    def failing() -> Iterator[bytes]:
        yield b"some"
        raise ConnectionAbortedError

    with pytest.raises(ConnectionAbortedError):
        objects.stage().fill(failing())
    assert list((tmp_path / "contents").iterdir()) == []


def test_the_next_start_removes_what_a_kill_left(tmp_path: Path) -> None:
    objects = Objects(tmp_path)
    write(objects, "one", b"kept")
    objects.stage().fill([b"half an upload"]).close()
    objects.close()
    Objects(tmp_path).close()
    assert [path.read_bytes() for path in (tmp_path / "contents").iterdir()] == [b"kept"]


@settings(max_examples=30, deadline=None)
@given(
    st.sets(st.text(st.sampled_from("ab/é🙂\U0010ffff"), min_size=1, max_size=4), max_size=12),
    st.text("ab/é🙂", max_size=2),
)
def test_listing_finds_what_begins_with_the_prefix_in_utf8_order(names: set[str], prefix: str) -> None:
    with TemporaryDirectory() as folder:
        objects = Objects(Path(folder))
        for name in names:
            write(objects, name)
        listed = [found.name for found in objects.named("b", prefix)]
        objects.close()
    assert listed == sorted((name for name in names if name.startswith(prefix)), key=lambda name: name.encode())


def test_a_patch_merges_metadata_and_a_null_removes(objects: Objects) -> None:
    staged = objects.stage().fill([b""])
    objects.commit("b", "one", staged, {"cacheControl": "private", "metadata": {"a": "1", "b": "2"}})
    after = objects.patch("b", "one", {"cacheControl": None, "metadata": {"a": None, "c": "3"}})
    assert after.attributes == {"metadata": {"b": "2", "c": "3"}}
    assert objects.patch("b", "one", {"metadata": None}).attributes == {}
