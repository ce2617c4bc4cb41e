"""Fixtures for tests that need storage: one server a session, emptied after each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.keys import ensure_key, load_keys
from local.storage import StorageServer

BUCKETS = ("results", "uploads")


@pytest.fixture(scope="session")
def storage_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a service-account key file whose signatures the storage server accepts."""
    return ensure_key(tmp_path_factory.mktemp("keys") / "key.json")


@pytest.fixture(scope="session")
def storage_server(tmp_path_factory: pytest.TempPathFactory, storage_key: Path) -> Iterator[StorageServer]:
    """Return the session's server; use `storage`, which starts each test empty."""
    directory = tmp_path_factory.mktemp("storage")
    with StorageServer(directory, keys=load_keys([storage_key]), buckets=BUCKETS) as server:
        yield server


@pytest.fixture
def storage(storage_server: StorageServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[StorageServer]:
    """Empty buckets `results` and `uploads`; a scripted fault that no call met fails the test.

    The client's habit of fetching a bucket's metadata in the background, for traces that are not recorded, is
    switched off: those calls come at any time and would meet the faults that a test means for others.
    """
    monkeypatch.setenv("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", "true")
    storage_server.clear()
    yield storage_server
    unfired = storage_server.faults.unfired()
    storage_server.clear()
    assert not unfired, f"these faults never fired: {unfired}"  # noqa: S101  # this is a test's own assertion
