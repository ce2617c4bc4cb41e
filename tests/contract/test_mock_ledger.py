"""The ledger is exact: under hundreds of calls at once, and where the client has gone."""

import re
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from mock_segmind import FakeSegmind, Picture, Settings
from mock_segmind.replies import JsonObject
from tests.contract import mock_client as plain

IN_FLIGHT = 300


def at_once(segmind: FakeSegmind, prompts: list[str]) -> list[plain.Outcome]:
    with ThreadPoolExecutor(len(prompts)) as pool:
        return list(pool.map(lambda prompt: plain.ask(segmind, prompt, timeout=60), prompts))


def test_hundreds_in_flight(segmind: FakeSegmind) -> None:
    """300 calls that all wait in the vendor together end well, each with its own line and its own bill."""
    segmind.settings.latency = 0.2
    prompts = [f"cat {number}" for number in range(IN_FLIGHT)]
    outcomes = at_once(segmind, prompts)
    ids = {outcome.headers["x-request-id"] for outcome in outcomes}
    assert {(outcome.status, outcome.broken) for outcome in outcomes} == {(200, "")}
    assert ids == {entry.request_id for entry in segmind.ledger.billed()}
    assert sorted(entry.prompt for entry in segmind.ledger.generations()) == sorted(prompts)
    assert segmind.ledger.total_billed == Decimal("0.1") * IN_FLIGHT
    assert [entry.number for entry in segmind.ledger.entries()] == list(range(1, IN_FLIGHT + 1))


def test_a_balance_is_never_overdrawn(segmind: FakeSegmind) -> None:
    """100 calls race for the credits of 30: exactly 30 are billed, and nothing stays held."""
    segmind.settings.latency = 0.05
    account = segmind.accounts.open(segmind.key, 3)
    outcomes = at_once(segmind, ["a cat"] * 100)
    assert sorted(str(outcome.status) for outcome in outcomes) == ["200"] * 30 + ["406"] * 70
    assert (account.balance, account.held, len(segmind.ledger.billed())) == (Decimal(0), Decimal(0), 30)


def test_a_script_is_exact_under_a_race(segmind: FakeSegmind) -> None:
    segmind.faults.add("502", times=20)
    outcomes = at_once(segmind, ["a cat"] * 60)
    assert sorted(str(outcome.status) for outcome in outcomes) == ["200"] * 40 + ["502"] * 20


def test_a_generation_is_billed_after_its_client_has_gone(segmind: FakeSegmind) -> None:
    """The client hangs up before the image is there: it is billed all the same; the ledger says who stayed."""
    assert plain.ask(segmind, "[mock:slow=0.5]", timeout=0.1).broken == "TimeoutError"
    assert segmind.ledger.billed() == []
    assert segmind.ledger.settle()
    entry = segmind.ledger.posts()[0]
    assert (entry.billed, entry.client_gone, entry.status) == (Decimal("0.1"), True, 200)
    plain.ask(segmind, "a cat")
    assert [entry.client_gone for entry in segmind.ledger.posts()] == [True, False]


def test_clear_drops_what_is_running(segmind: FakeSegmind) -> None:
    """A call that waits is dropped without an answer; it is not billed afterwards."""
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(plain.ask, segmind, "[mock:slow=60]")
        assert segmind.ledger.wait(lambda ledger: len(ledger.posts()) == 1)
        segmind.clear()
        assert waiting.result().broken == "RemoteDisconnected"
    assert (segmind.ledger.entries(), segmind.accounts.all()[0].held) == ([], Decimal(0))


def test_waiting_for_the_ledger_ends(segmind: FakeSegmind) -> None:
    """`wait` says False where its time passes first."""
    assert not segmind.ledger.wait(lambda ledger: bool(ledger.billed()), timeout=0.01)


def test_stop_ends_what_is_running() -> None:
    """A hanging answer does not keep the fake from stopping, and its client sees the end."""
    with ThreadPoolExecutor(1) as pool:
        with FakeSegmind() as fake:
            hanging = pool.submit(plain.ask, fake, "[mock:hang]")
            assert fake.ledger.settle()
            assert fake.ledger.wait(lambda ledger: len(ledger.billed()) == 1)
        assert hanging.result().broken == "RemoteDisconnected"


def test_long_strings_are_cut_in_the_ledger(segmind: FakeSegmind) -> None:
    """A data URI of megabytes does not stay in memory for each call."""
    uri = "data:image/png;base64," + "A" * 100_000
    body = plain.request(referenceImages=[{"tag": "model", "uri": uri}])
    assert plain.ask(segmind, body).status == 200
    assert len(str(segmind.ledger.posts()[0].body)) < 3_000


GOOD = Picture("photo").encoded()


def photo(request: Request) -> Response:
    """Answer as a host of reference images: a good one, and every kind that Runway refuses."""
    if request.path == "/missing" or (request.method, request.path) == ("HEAD", "/get-only"):
        return Response(status=404)
    kind = "text/html" if request.path == "/page" else "image/jpeg"
    body = iter([GOOD]) if request.path == "/unsized" else GOOD
    return Response(body, 302 if request.path == "/moved" else 200, content_type=kind)


@pytest.fixture
def photos(httpserver: HTTPServer) -> HTTPServer:
    httpserver.expect_request(re.compile("/.+")).respond_with_handler(photo)
    return httpserver


def with_reference(uri: str) -> JsonObject:
    return plain.request(referenceImages=[{"tag": "model", "uri": uri}, {"tag": "none"}])


@pytest.mark.parametrize(("mode", "seen"), [("off", []), ("get", ["GET"]), ("head", ["HEAD", "GET"])])
def test_references_are_fetched_where_asked(
    segmind: FakeSegmind, photos: HTTPServer, mode: str, seen: list[str]
) -> None:
    """HEAD and then GET, GET alone, or nothing; the ledger says what came, without the URL's signature."""
    segmind.settings.fetch_references = mode
    body = with_reference(photos.url_for("/a.jpg?signature=secret"))
    assert plain.ask(segmind, body).status == 200
    assert [request.method for request, _ in photos.log] == seen
    came = {"uri": photos.url_for("/a.jpg"), "contentType": "image/jpeg", "bytes": len(GOOD)}
    assert segmind.ledger.posts()[0].fetched == ([came] if seen else [])


@pytest.mark.parametrize("path", ["/missing", "/get-only", "/moved", "/page", "/unsized", ""])
def test_what_cannot_be_fetched_fails_the_generation(segmind: FakeSegmind, photos: HTTPServer, path: str) -> None:
    """Missing, moved, unsized, of a wrong type, or refused by HEAD or its host: the model's 500, and not billed."""
    segmind.settings.fetch_references = "head"
    body = with_reference(photos.url_for(path) if path else "http://127.0.0.1:1/a.jpg")
    outcome = plain.ask(segmind, body)
    assert (outcome.status, "Failed to fetch reference image" in str(outcome.fields["error"])) == (500, True)
    job = plain.ask(segmind, body, plain.V2).fields
    failed = plain.ask(segmind, line=f"GET /v2/requests/{job['request_id']}")
    assert (failed.status, failed.fields["status"]) == (422, "FAILED")
    assert (segmind.ledger.total_billed, segmind.accounts.all()[0].held) == (Decimal(0), Decimal(0))


def test_two_fakes_do_not_know_each_other() -> None:
    with FakeSegmind(Settings(credits=0.1, keys=("one",))) as one, FakeSegmind() as two:
        assert [plain.ask(one, "a cat").status for _ in range(2)] == [200, 406]
        assert plain.ask(two, "a cat").status == 200
        assert (len(one.ledger.posts()), len(two.ledger.posts()), one.key) == (2, 1, "one")
