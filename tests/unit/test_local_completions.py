"""What `make run` tells when an image has ended is read as it is written."""

from pathlib import Path

from local.completions import Completions
from local.storage.server import StorageServer

END = {"id": "abc", "status": "failed", "code": "segmind-failed"}


def test_only_ends_in_the_results_are_told(tmp_path: Path) -> None:
    """Another object, another bucket and what an earlier run was told are left out; each message comes once."""
    told = Completions(tmp_path / "completions.jsonl")
    with StorageServer(tmp_path / "storage", buckets=["results", "uploads"], completions=told) as storage:
        storage.put("results", "jobs/old/result.json", b"{}", **END)
        read = Completions(told.path)
        for bucket, name in (("results", "jobs/abc/claim.json"), ("uploads", "jobs/abc/result.json")):
            storage.put(bucket, name, b"{}", **END)
        storage.put("results", "jobs/abc/result.json", b"{}", **END)
        (attributes,) = read.new()
        assert attributes == attributes | END | {"objectId": "jobs/abc/result.json", "eventType": "OBJECT_FINALIZE"}
        assert list(read.new()) == []


def test_before_the_first_end_nothing_is_told(tmp_path: Path) -> None:
    """There is no file yet, or half a line."""
    told = Completions(tmp_path / "completions.jsonl")
    assert list(told.new()) == []
    told.path.write_text('{"message"')
    assert list(told.new()) == []
