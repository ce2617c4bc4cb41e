"""All three doors of `make run`, used as the README says: by uploaded files and by batches, each in one line."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from local.calls import call
from tests.doors.local_run import ROOT, Run, free_ports

BLOCKS: list[str] = re.findall(r"^```sh\n(.*?)\n```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
COMMANDS = [block for block in BLOCKS if " -m local." in block]
ORDERS = [command for command in COMMANDS if " sweep" not in command]
JPEG = b"\xff\xd8\xff"
BATCH = ("local.send", "batch", "nightly", "--prompt", "the first", "--prompt", "the second", "--at")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A run whose events come three times each and in random order, and whose sweep comes every second."""
    made = Run(tmp_path_factory.mktemp("run"))
    made.start("--latency", "0", "--deliveries", "3", "--shuffle", "--sweep-every", "1")
    made.read_until("until Ctrl-C")
    yield made
    made.process.terminate()
    made.end()


def order(run: Run, *words: str) -> subprocess.CompletedProcess[str]:
    """Run one of the commands."""
    command = [sys.executable, "-m", *words]
    return subprocess.run(command, cwd=ROOT, env=run.environment(), capture_output=True, text=True, check=False)


def images(run: Run, *words: str) -> list[dict[str, Any]]:
    """Run one of the commands, and return the resource of each image it tells of; the files are there."""
    done = order(run, *words)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()[1:]
    assert all(Path(path).parent == run.state and Path(path).read_bytes().startswith(JPEG) for path in lines[1::2])
    return [call("GET", url).json() for url in lines[::2]]


def stored_images(run: Run) -> list[str]:
    """Return the names of all images in the results bucket."""
    found = call("GET", f"http://127.0.0.1:{run.port + 1}/_local/objects?bucket=results&prefix=jobs/").json()
    return [item["name"] for item in found if "/image." in item["name"]]


def events_of(run: Run, name: str) -> dict[str, Any]:
    """Return what the storage tells of an object's event, once all of its deliveries have been taken."""
    url, until = f"http://127.0.0.1:{run.port + 1}/_local/events?name={quote(name)}", time.monotonic() + 60
    while time.monotonic() < until:
        (event,) = call("GET", url).json()["events"]
        if not event["outstanding"]:
            return dict(event)
        time.sleep(0.05)
    raise AssertionError(f"{event} is still outstanding")


def test_a_job_a_photo_and_a_batch_are_three_images(run: Run) -> None:
    """Each order is one image, of its own request, although every event is delivered three times."""
    before = stored_images(run)
    (job,) = images(run, "local.send", "job", "--prompt", "a job", "--ratio", "720:1280")
    (photo,) = images(run, "local.send", "photo", "local/photo.jpg", "--prompt", "@boat at sea", "--tag", "boat")
    (batch,) = images(run, "local.send", "batch", "hourly", "--prompt", "a batch")
    assert [made["request"] for made in (job, photo, batch)] == [
        {"promptText": "a job", "ratio": "720:1280", "referenceImages": []},
        {"promptText": "@boat at sea", "ratio": "1280:720", "referenceImages": [{"tag": "boat"}]},
        {"promptText": "a batch", "ratio": "1280:720", "referenceImages": []},
    ]
    assert len(stored_images(run)) == len(before) + 3


def test_an_event_comes_as_often_as_the_switch_says(run: Run) -> None:
    dropped = order(run, "local.send", "job", "--prompt", "often").stdout.splitlines()[0]
    event = events_of(run, dropped.removeprefix("gs://uploads/"))
    assert [status for status in event["answers"] if status == 200] == [200] * 3


def test_a_batch_that_is_repeated_is_the_same_images(run: Run) -> None:
    first, again = (images(run, *BATCH, "2026-03-14T12:00:00Z") for _ in range(2))
    assert [made["id"] for made in first] == [made["id"] for made in again]
    (*_, later) = images(run, *BATCH, "2026-03-15T12:00:00Z")
    assert later["id"] not in {made["id"] for made in first}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_line_of_the_readme_works(run: Run, command: str) -> None:
    """As it stands there; only that this run is on other ports is told by the environment."""
    done = subprocess.run(
        ["bash", "-euc", command], cwd=ROOT, env=run.environment(), capture_output=True, text=True, check=True
    )
    if command in ORDERS:
        assert Path(done.stdout.splitlines()[-1]).read_bytes().startswith(JPEG)
    else:
        assert json.loads(done.stdout)["errors"] == 0


def test_the_run_prints_the_readmes_lines(run: Run) -> None:
    """With what a run on other ports needs in front of them; there are three doors' worth of them."""
    prefix = f"LOCAL_PORT={run.port} LOCAL_STATE={run.state} "
    assert len(ORDERS) == 3
    assert {prefix + command for command in COMMANDS} <= {line.strip() for line in run.lines}


def test_the_scheduler_sweeps(run: Run) -> None:
    """More often than the README's line, which is the only other one to ask for it."""
    log, until = run.state / "logs" / "on_schedule.log", time.monotonic() + 60
    while log.read_text().count('"event": "swept"') < 3:
        assert time.monotonic() < until, "it does not sweep"
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("local.send", "job", "--prompt", ""), "must not be empty (invalid-request)"),
        (("local.send", "job", "--prompt", "[mock:400]"), "(rejected-by-segmind)"),
        (("local.send", "photo", "README.md", "--prompt", "x"), "neither a job file nor an image"),
        (("local.send", "photo", "nowhere.png", "--prompt", "x"), "nowhere.png"),
        (("local.send", "batch", "daily", "--prompt", ""), "on_schedule answered 400: /images/0/promptText"),
    ],
)
def test_an_order_that_fails_is_one_line(run: Run, words: tuple[str, ...], reason: str) -> None:
    done = order(run, *words)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert reason in done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_without_a_run_the_line_says_so(tmp_path: Path, command: str) -> None:
    nobody = Run(tmp_path, port=free_ports())
    done = subprocess.run(
        ["bash", "-uc", command], cwd=ROOT, env=nobody.environment(), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert f"nothing runs on port {nobody.port}" in done.stderr
    assert "make run" in done.stderr
