"""The zip that is uploaded, in an empty folder with its own requirements: all three doors start there and work."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from local.storage import StorageServer
from mock_segmind import FakeSegmind
from tests.deploy.deployed import Deployment

ORDER = {"promptText": "a lighthouse", "referenceImages": []}
TICK = {"X-CloudScheduler-ScheduleTime": "2030-01-01T06:00:00Z"}


class Doors:
    """The three doors of one deployment, each started when it is first asked for."""

    def __init__(self, deployment: Deployment, settings: dict[str, str], logs: Path, stack: ExitStack) -> None:
        self._deployment, self._settings, self._logs, self._stack = deployment, settings, logs, stack

    def __call__(self, entry_point: str) -> str:
        log = self._logs / f"{entry_point}.log"
        return self._stack.enter_context(self._deployment.door(entry_point, self._settings, log))


@pytest.fixture
def doors(
    deployment: Deployment, segmind: FakeSegmind, storage: StorageServer, storage_key: Path, tmp_path: Path
) -> Iterator[Doors]:
    """Start doors between the fake vendor and the storage on this machine; all are stopped at the end."""
    settings = {
        "SEGMIND_API_KEY": segmind.key,
        "SEGMIND_BASE_URL": segmind.url,
        "SEGMIND_HISTORY_URL": "",
        "RESULTS_BUCKET": "results",
        "UPLOADS_BUCKET": "uploads",
        "STORAGE_EMULATOR_HOST": storage.url,
        "GOOGLE_APPLICATION_CREDENTIALS": str(storage_key),
        "GOOGLE_CLOUD_PROJECT": "local-project",
    }
    with ExitStack() as stack:
        yield Doors(deployment, settings, tmp_path, stack)


def finalized(storage: StorageServer, name: str) -> dict[str, str]:
    """Return the event's data for an object of the uploads bucket, as Cloud Storage sends it."""
    found = storage.object("uploads", name)
    return {"bucket": "uploads", "name": name, "generation": str(found.generation), "size": str(found.size)}


def deliver(url: str, data: dict[str, str]) -> int:
    """POST the CloudEvent as Eventarc does; return the status."""
    headers = {
        "ce-id": "1",
        "ce-specversion": "1.0",
        "ce-type": "google.cloud.storage.object.v1.finalized",
        "ce-source": f"//storage.googleapis.com/projects/_/buckets/{data['bucket']}",
        "ce-subject": f"objects/{data['name']}",
    }
    return requests.post(url, json=data, headers=headers, timeout=60).status_code


def images(storage: StorageServer) -> list[str]:
    """Return the images in the results bucket."""
    return [name for name in storage.objects("results", "jobs/") if "/image." in name]


def test_the_workspace_has_only_what_was_zipped(deployment: Deployment) -> None:
    """Neither this repository nor its development tools are there to lean on."""
    command = [str(deployment.programs / "python"), "-c", "import pytest"]
    tried = subprocess.run(command, cwd=deployment.source, env={}, capture_output=True, text=True, check=False)
    assert "No module named 'pytest'" in tried.stderr


def test_http_generates(doors: Doors, segmind: FakeSegmind, storage: StorageServer) -> None:
    """One POST, one paid image, stored and reachable at its signed URL."""
    answer = requests.post(f"{doors('generate_image')}/v1/images", json=ORDER, timeout=60)
    assert answer.status_code == 200
    image = answer.json()["image"]
    assert len(requests.get(image["url"], timeout=10).content) == image["bytes"] > 0
    assert len(segmind.ledger.billed()) == len(images(storage)) == 1


def test_an_event_generates(doors: Doors, segmind: FakeSegmind, storage: StorageServer) -> None:
    """A job file's event is acknowledged when its image is stored; a second delivery pays nothing."""
    storage.put("uploads", "jobs/lighthouse.json", b'{"promptText": "a lighthouse", "referenceImages": []}')
    url, data = doors("on_upload"), finalized(storage, "jobs/lighthouse.json")
    assert [deliver(url, data), deliver(url, data)] == [200, 200]
    assert len(segmind.ledger.billed()) == len(images(storage)) == 1


def test_a_schedule_generates(doors: Doors, segmind: FakeSegmind, storage: StorageServer) -> None:
    """A tick queues a job, whose event generates it; a repeated tick queues nothing; the sweep answers."""
    url, body = doors("on_schedule"), {"name": "daily", "images": [ORDER]}
    first, again = (requests.post(url, json=body, headers=TICK, timeout=60).json() for _ in range(2))
    (name,) = storage.objects("uploads", "jobs/")
    assert (first["replayed"], again["queued"]) == ([], [])
    assert first["queued"] == again["replayed"]
    assert deliver(doors("on_upload"), finalized(storage, name)) == 200
    assert len(segmind.ledger.billed()) == len(images(storage)) == 1
    assert requests.post(f"{url}/sweep", timeout=60).status_code == 200
