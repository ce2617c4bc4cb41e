"""`make run` as a person sees it: an image, a link that works, one line for what goes wrong, nothing left behind."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.calls import call
from mock_segmind import FakeSegmind
from tests.doors.local_run import ROOT, Run

STORAGE = 1
PARTS = [(0, "function"), (STORAGE, "storage"), (2, "fake vendor"), (3, "on_upload"), (4, "on_schedule")]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    made = Run(tmp_path)
    yield made
    if made.process.stdout and not made.process.stdout.closed:
        made.process.terminate()
        made.end()


def test_once_generates_one_image_and_leaves_nothing_running(run: Run) -> None:
    run.start("--once", "--latency", "3", "--prompt", "a blue door")
    assert (run.end(), run.stderr) == (0, "")
    resource = run.resource()
    assert resource["status"] == "succeeded"
    assert resource["request"] == {"promptText": "a blue door", "ratio": "1280:720", "referenceImages": []}
    assert any(line.strip().endswith("s, usually 3") for line in run.lines)
    (ended,) = run.ended()
    assert ended | {"id": resource["id"], "status": "succeeded", "eventType": "OBJECT_FINALIZE"} == ended
    assert ended["objectId"] == f"jobs/{resource['id']}/result.json"
    saved = Path(run.lines[-1].strip())
    assert saved.parent == run.state
    assert saved.read_bytes().startswith(b"\xff\xd8\xff")
    assert (
        run.lines[run.lines.index("Its signed URL:") + 1].strip().startswith(f"http://127.0.0.1:{run.port + STORAGE}/")
    )
    run.assert_nothing_is_left()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_serves_until_it_is_told_to_stop(run: Run, number: signal.Signals) -> None:
    """A call meanwhile is served, and the state outlives the run: the next one still has the image."""
    run.start("--latency", "0")
    run.read_until("until Ctrl-C")
    url = f"http://127.0.0.1:{run.port}"
    image = call("POST", f"{url}/v1/images", json={"promptText": "a cat", "referenceImages": []}, timeout=60).json()
    shown = call("GET", image["image"]["url"], headers={"Origin": url})
    assert (shown.status, shown.headers["Access-Control-Allow-Origin"]) == (200, "*"), "fetch() from the playground"
    call("POST", f"{url}/v1/images", json={"promptText": "[mock:moderation]", "referenceImages": []}, timeout=60)
    run.read_until('"code": ')
    assert [(told["status"], told.get("code")) for told in run.ended()[1:]] == [
        ("succeeded", None),
        ("failed", "rejected-by-segmind"),
    ]
    run.process.send_signal(number)
    assert (run.end(), run.stderr) == (0, "")
    assert run.lines[-1].startswith("Stopping")
    run.assert_nothing_is_left()
    if number != signal.SIGINT:
        return  # once is enough to see what was kept
    run.start("--latency", "0")
    run.read_until("until Ctrl-C")
    again = call("GET", f"{url}/v1/images/{image['id']}").json()
    assert again["image"]["sha256"] == image["image"]["sha256"]


def test_only_pages_of_configured_origins_may_use_signed_urls(run: Run) -> None:
    """In both buckets, as Terraform lets them."""
    page = "https://app.example"
    run.start("--latency", "0", CORS_ORIGINS=page)
    run.read_until("until Ctrl-C")
    for bucket, method in (("results", "GET"), ("uploads", "PUT")):
        for origin in (page, "https://elsewhere.example"):
            asked = {"Origin": origin, "Access-Control-Request-Method": method}
            answer = call("OPTIONS", f"http://127.0.0.1:{run.port + STORAGE}/{bucket}/any", headers=asked)
            assert answer.headers.get("Access-Control-Allow-Origin") == (page if origin == page else None)


def test_it_can_be_stopped_amid_a_generation(run: Run) -> None:
    run.start("--latency", "600", "--patience", "0.5")
    run.read_until("usually 600")
    run.process.send_signal(signal.SIGINT)
    run.process.send_signal(signal.SIGINT)
    assert (run.end(), run.stderr) == (0, "")
    run.assert_nothing_is_left()


@pytest.mark.parametrize(("offset", "name"), PARTS)
def test_a_taken_port_is_one_line(run: Run, offset: int, name: str) -> None:
    with socket.create_server(("127.0.0.1", run.port + offset)):
        run.start("--once")
        assert run.end() == 1
    assert run.stderr.count("\n") == 1
    assert f"port {run.port + offset}, meant for the {name}, is taken" in run.stderr
    run.assert_nothing_is_left()


def test_a_service_that_dies_is_named_with_the_end_of_its_log(run: Run) -> None:
    run.start("--latency", "0")
    run.read_until("until Ctrl-C")
    os.kill(run.child("local.storage"), signal.SIGKILL)
    assert run.end() == 1
    assert "the storage ended by itself (killed by SIGKILL)" in run.stderr
    assert f"storage: http://127.0.0.1:{run.port + STORAGE}" in run.stderr
    run.assert_nothing_is_left()


def test_a_kill_leaves_no_child_behind(run: Run) -> None:
    """SIGKILL gives the run no chance to tidy up: its children, and theirs, end all the same."""
    run.start("--latency", "0")
    run.read_until("until Ctrl-C")
    run.process.kill()
    run.end()
    until = time.monotonic() + 30
    while not run.is_nothing_left():
        assert time.monotonic() < until, "still running"
        time.sleep(0.05)
    run.assert_nothing_is_left()


def test_a_setting_that_the_function_refuses_is_told_in_its_own_words(run: Run) -> None:
    run.start("--once", SEGMIND_TIMEOUT_SECONDS="soon")
    assert run.end() == 1
    assert "the function ended by itself" in run.stderr
    assert "SEGMIND_TIMEOUT_SECONDS" in run.stderr
    assert "Traceback" not in run.stderr
    run.assert_nothing_is_left()


def test_a_second_run_on_the_same_state_is_refused(run: Run, tmp_path: Path) -> None:
    run.start("--latency", "0")
    run.read_until("until Ctrl-C")
    other = Run(tmp_path / "other")
    other.state.mkdir()
    other.start("--once", "--state", str(run.state))
    assert other.end() == 1
    assert f"another run uses {run.state}" in other.stderr
    other.assert_nothing_is_left()


def test_with_a_key_the_vendor_is_real_and_its_refusal_is_one_line(run: Run, segmind: FakeSegmind) -> None:
    """No fake is started, and the price is told; here the vendor is one that does not know the key."""
    run.start("--once", SEGMIND_API_KEY="SG_unknown", SEGMIND_BASE_URL=segmind.url)
    assert run.end() == 1
    assert any("$0.10" in line for line in run.lines)
    assert not any("fake vendor" in line for line in run.lines)
    assert run.stderr.count("\n") == 1
    assert "(segmind-unauthorized)" in run.stderr
    assert "SG_unknown" not in "\n".join([*run.lines, run.stderr])
    assert [entry.status for entry in segmind.ledger.posts()] == [401]


def test_the_help_names_every_option() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "local", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    told = "help once port prompt latency patience state sweep-every deliveries shuffle"
    assert set(re.findall(r"--([a-z-]+)", done.stdout)) == set(told.split(" "))
