"""Generations, files and listings as rules, without a server."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.storage.model import StoredObject, Write
from local.storage.store import Objects

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def objects(tmp_path: Path) -> Iterator[Objects]:
    store = Objects(tmp_path)
    yield store
    store.close()


def write(objects: Objects, name: str, data: bytes = b"") -> StoredObject:
    return objects.commit(Write("b", name, data=data))


def test_generations_only_grow(objects: Objects) -> None:
    generations = [write(objects, name).generation for name in "abcabc" * 50]
    assert generations == sorted(set(generations))


def test_an_overwritten_or_deleted_content_is_gone_from_disk(objects: Objects, tmp_path: Path) -> None:
    for data in (b"1", b"2", b"3"):
        write(objects, "one", data)
    write(objects, "two")
    objects.delete("b", "two")
    assert [path.read_bytes() for path in (tmp_path / "contents").iterdir()] == [b"3"]


def test_the_next_start_removes_what_a_kill_left(tmp_path: Path) -> None:
    objects = Objects(tmp_path)
    write(objects, "one", b"kept")
    (tmp_path / "contents" / "orphan").write_bytes(b"written, and not yet in the index")
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
