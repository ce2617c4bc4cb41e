"""Every failure of the registry, on every operation that it names, against a plain client: it does what it says."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from mock_segmind import FakeSegmind, Fault, Picture, fingerprint
from mock_segmind.calls import OPERATIONS, Operation
from mock_segmind.faults.entry import Entry, Seen
from mock_segmind.faults.registry import REGISTRY
from tests.contract import mock_bodies
from tests.contract.mock_bodies import BODIES, decoded, url_in
from tests.contract.mock_client import Outcome, call, png, request

Case = Mapping[str, Any]
CASES: list[Case] = yaml.safe_load((Path(__file__).parents[1] / "cases" / "mock_answers.yaml").read_text("utf-8"))
PLAYED = [(entry, operation) for entry in REGISTRY.values() for operation in entry.on]
QUICK = {"seconds": "0.01", "interval": "0.0001"}
POSTS: dict[Operation, str] = {"v1": "/v1/runway-gen4-image", "v2-submit": "/v2/runway-gen4-image"}
READS: dict[Operation, str] = {"v2-status": "status_url", "v2-result": "response_url"}
USUAL: dict[Operation, int] = {"v2-submit": 202}


def text_of(entry: Entry) -> str:
    """Return the fault as text: with its defaults, but for times that a test would have to wait for."""
    quick = {} if entry.seen.broken == "TimeoutError" or entry.group == "history" else QUICK
    return str(
        Fault(entry.name, **{option.name: quick[option.name] for option in entry.options if option.name in quick})
    )


def play(segmind: FakeSegmind, operation: Operation, prompt: str, timeout: float = 10) -> Outcome:
    """Do one request of this operation, after what must come before it, and return what a client saw of it."""

    def do(line: str, body: Any = None) -> Outcome:  # noqa: ANN401  JSON
        return call(segmind.url, line, body, headers={"x-api-key": segmind.key}, timeout=timeout)

    if operation in POSTS:
        return do(f"POST {POSTS[operation]}", request(prompt))
    if operation in READS:
        job = do(f"POST {POSTS['v2-submit']}", request(prompt)).fields
        return do(f"GET {str(job[READS[operation]]).removeprefix(segmind.url)}")
    if operation == "hosted":
        url = url_in(do(f"POST {POSTS['v1']}", request(f"{prompt} [mock:hosted]")))
        return call(segmind.url, f"GET {url.removeprefix(segmind.url)}", timeout=timeout)
    if operation == "upload":
        return do("POST /upload-asset", {"data_urls": [png(), png()]})
    if operation == "credits":
        return do("GET /v1/get-user-credits")
    made = do(f"POST {POSTS['v1']}", request(prompt)).headers["x-request-id"]
    path = {"history": "request-history", "history-row": f"request-history/{made}"}.get(operation, operation)
    return do(f"GET /inference-request/{path}")


def follow(segmind: FakeSegmind, got: Outcome, group: str = "") -> Outcome:
    """Return what comes of an answer: the hosted file, a job's result after three polls, or what the history says."""
    if group == "history":
        return call(segmind.url, "GET /inference-request/request-history", headers={"x-api-key": segmind.key})
    if "request_id" not in got.fields or "output" in got.fields:
        return call(segmind.url, f"GET {url_in(got).removeprefix(segmind.url)}")
    result = str(got.fields["response_url"]).removeprefix(segmind.url)
    lines = [f"GET {result}/status"] * 3 + [f"GET {result}"]
    return [call(segmind.url, line, headers={"x-api-key": segmind.key}) for line in lines][-1]


def assert_seen(seen: Seen, got: Outcome, usual_status: int, prompt: str) -> None:
    assert (got.status, got.broken) == (usual_status if seen.status == "usual" else seen.status, seen.broken)
    assert {name: got.headers.get(name) for name in seen.headers} == seen.headers
    body = {"usual": mock_bodies.usual, "cut": mock_bodies.cut}.get(seen.body)
    assert body(got, prompt) if body else BODIES[seen.body](got), seen.body


@pytest.mark.parametrize(("entry", "operation"), PLAYED, ids=[f"{entry.name}-{on}" for entry, on in PLAYED])
def test_a_fault_does_what_its_entry_says(segmind: FakeSegmind, entry: Entry, operation: Operation) -> None:
    """Status, body, headers, the end of the connection, what follows and the bill; by prompt, else by script."""
    text = text_of(entry)
    prompt = f"a cat [mock:{text}]"
    if operation not in POSTS and operation not in READS:
        segmind.faults.add(text)
    got = play(segmind, operation, prompt, 0.4 if entry.seen.broken == "TimeoutError" else 10)
    assert_seen(entry.seen, got, USUAL.get(operation, 200), prompt)
    if entry.seen.then and entry.seen.then.status is None:
        assert url_in(got) == entry.seen.then.body
    elif entry.seen.then:
        assert_seen(entry.seen.then, follow(segmind, got, entry.group), 200, prompt)
    assert not entry.billed or segmind.ledger.wait(lambda ledger: bool(ledger.billed()))
    assert segmind.ledger.total_billed == (segmind.settings.price if entry.billed else 0)
    lines = [line for line in segmind.ledger.entries(operation) if text in line.faults]
    assert [line.status for line in lines][:1] == [got.status]


MOVED = [entry for entry in REGISTRY.values() if entry.stops]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_errors_and_transport_work_on_every_operation(segmind: FakeSegmind, operation: Operation) -> None:
    """`on=` moves a fault to any other request about the same image; there it is the same."""
    for entry in MOVED:
        segmind.clear()
        segmind.faults.add(f"{text_of(entry)},on={operation}")
        got = play(segmind, operation, "a cat", 0.2 if entry.seen.broken == "TimeoutError" else 10)
        status = USUAL.get(operation, 200) if entry.seen.status == "usual" else entry.seen.status
        assert (got.status, got.broken) == (status, entry.seen.broken)
        segmind.check()


@pytest.mark.parametrize("case", CASES, ids=[case["magic"] for case in CASES])
def test_what_an_option_changes(segmind: FakeSegmind, case: Case) -> None:
    """Status, headers, body, the way the connection ends and the bill are what the case says."""
    got = play(segmind, "v1", f"a cat [mock:{case['magic']}]", 0.4 if case.get("broken") == "TimeoutError" else 10)
    assert (got.status, got.broken) == (case["status"], case.get("broken", ""))
    assert case.get("says", "") in got.body.decode("latin-1")
    assert "type" not in case or got.headers["content-type"] == case["type"]
    assert "header" not in case or got.headers[case["header"]]
    assert case.get("lacks") not in got.headers
    assert "image" not in case or decoded(got.body) == (case["image"], (1280, 720))
    assert not (case.get("empty") and got.body)
    assert len(segmind.ledger.billed()) == case.get("billed", 0)
    assert segmind.ledger.posts()[0].status == case["status"]


def test_an_option_of_a_hosted_image(segmind: FakeSegmind) -> None:
    """Its format is that of the file behind the URL; what a redirect leads to is whole."""
    webp = follow(segmind, play(segmind, "v1", "[mock:hosted=webp]"))
    assert decoded(webp.body) == ("WEBP", (1280, 720))
    moved = follow(segmind, play(segmind, "v2-result", "[mock:hosted-redirect]")).headers["location"]
    image = call(segmind.url, f"GET {moved.removeprefix(segmind.url)}")
    assert image.body == Picture("[mock:hosted-redirect]").encoded()


def test_a_key_sent_to_a_hosted_image_is_recorded(segmind: FakeSegmind) -> None:
    """The image comes with and without a key; the ledger knows which request leaked it."""
    line = f"GET {url_in(play(segmind, 'v1', '[mock:hosted]')).removeprefix(segmind.url)}"
    assert (call(segmind.url, line).status, segmind.ledger.leaks()) == (200, [])
    assert call(segmind.url, line, headers={"x-api-key": segmind.key}).status == 200
    assert [entry.key for entry in segmind.ledger.leaks()] == [fingerprint(segmind.key)]
