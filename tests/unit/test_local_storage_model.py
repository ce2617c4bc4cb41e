"""Preconditions, attributes and listings as rules, without a server."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.storage.errors import StorageError
from local.storage.model import Preconditions, StoredObject
from local.storage.store import Store

VERSIONS = st.none() | st.integers(0, 3)


def stored(generation: int) -> StoredObject:
    return StoredObject("b", "n", generation, 0, "", "", "", "", {})


def refusal(conditions: Preconditions, found: StoredObject | None, *, reading: bool) -> int:
    """Return the status of the refusal, 0 if there is none."""
    try:
        conditions.check(found, reading=reading)
    except StorageError as error:
        return error.status
    return 0


@given(VERSIONS, VERSIONS, VERSIONS, VERSIONS, st.booleans(), st.booleans())
def test_conditions_hold_exactly_when_every_one_does(
    match: int | None, unmatch: int | None, meta: int | None, unmeta: int | None, exists: bool, reading: bool
) -> None:
    found = stored(2) if exists else None
    generation, metageneration = (2, 1) if exists else (0, 0)
    matches = match in {None, generation} and meta in {None, metageneration}
    unwanted = unmatch == generation or unmeta == metageneration
    expected = 412 if not matches else (304 if reading else 412) if unwanted else 0
    assert refusal(Preconditions(match, unmatch, meta, unmeta), found, reading=reading) == expected


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path)
    yield made
    made.close()


def write(store: Store, name: str, data: bytes = b"") -> StoredObject:
    return store.write("b", name, data, {})


def test_generations_only_grow(store: Store) -> None:
    generations = [write(store, name).generation for name in "abcabc" * 50]
    assert generations == sorted(set(generations))


def test_an_overwritten_or_deleted_content_is_gone_from_disk(store: Store, tmp_path: Path) -> None:
    for data in (b"1", b"2", b"3"):
        write(store, "one", data)
    write(store, "two")
    store.delete("b", "two")
    assert [path.read_bytes() for path in (tmp_path / "contents").iterdir()] == [b"3"]


def test_a_write_that_is_refused_leaves_no_file(store: Store, tmp_path: Path) -> None:
    write(store, "one", b"kept")
    for refused in ({"conditions": Preconditions(generation_match=0)}, {"expected": {"md5": "another"}}):
        with pytest.raises(StorageError):
            store.write("b", "one", b"new", {}, **refused)
    assert [path.read_bytes() for path in (tmp_path / "contents").iterdir()] == [b"kept"]


def test_the_next_start_removes_what_a_kill_left(tmp_path: Path) -> None:
    store = Store(tmp_path)
    write(store, "one", b"kept")
    (tmp_path / "contents" / "left").write_bytes(b"written, but never an object")
    store.close()
    Store(tmp_path).close()
    assert [path.read_bytes() for path in (tmp_path / "contents").iterdir()] == [b"kept"]


@settings(max_examples=30)
@given(
    st.sets(st.text(st.sampled_from("ab/é🙂\U0010ffff"), min_size=1, max_size=4), max_size=12),
    st.text("ab/é🙂", max_size=2),
)
def test_listing_finds_what_begins_with_the_prefix_in_utf8_order(names: set[str], prefix: str) -> None:
    with TemporaryDirectory() as folder:
        store = Store(Path(folder))
        for name in names:
            write(store, name)
        listed = [found.name for found in store.named("b", prefix)]
        store.close()
    assert listed == sorted((name for name in names if name.startswith(prefix)), key=lambda name: name.encode())
