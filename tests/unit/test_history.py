"""Segmind's request history over a socket: read in every envelope and time format, and never trusted further."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from socket import socket
from urllib.parse import parse_qs, urlsplit

import pytest

from imagegen.model import HistoryRow, ImageRequest, Reference
from imagegen.ports import Deadline
from imagegen.segmind.client import SegmindClient
from imagegen.segmind.history import SegmindHistory
from tests.harness.clock import FakeClock
from tests.harness.stubs import Stub, answer, hang_up

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
REQUEST = ImageRequest("a red cube", (Reference("model", "https://example.com/m.png"), Reference("cloth")), "960:960")
ROW = {
    "request_id": "r1",
    "model_name": "runway-gen4-image",
    "model_status": "COMPLETED",
    "credits_deduction": 0.1,
    "request_body": REQUEST.body(),
    "generation_url": "https://hosted.example/1.jpg",
    "latency_ms": 30_600,
    "model_created": "2026-03-14T12:00:00Z",
}
READ = HistoryRow("r1", "COMPLETED", REQUEST.fingerprint, NOON, 0.1, "https://hosted.example/1.jpg", "", 30.6)


class Asking:
    """A client of a history that a function answers: path and query to a status and a body."""

    def __init__(self, says: Callable[[str, dict[str, str]], tuple[int, object]]) -> None:
        self.says, self.clock = says, FakeClock()
        self.queries: list[dict[str, str]] = []
        self.paths: list[str] = []

    @contextmanager
    def open(self) -> Iterator[SegmindHistory]:
        with Stub(self._answer) as stub:
            client = SegmindClient("SG_sentinel", "http://127.0.0.1:9", self.clock, 2)
            yield SegmindHistory(client, f"{stub.url}/history", self.clock)
            assert all(b"x-api-key: SG_sentinel" in head for head in stub.requests)

    def _answer(self, connection: socket, request: bytes) -> None:
        parts = urlsplit(request.split(b" ")[1].decode())
        self.paths.append(parts.path)
        self.queries.append({name: values[0] for name, values in parse_qs(parts.query).items()})
        status, body = self.says(parts.path, self.queries[-1])
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        (hang_up if status == 0 else answer(f"HTTP/1.1 {status} X\nConnection: close", data))(connection, request)

    @property
    def soon(self) -> Deadline:
        return Deadline.within(self.clock, 20)

    def rows(self, history: SegmindHistory) -> list[HistoryRow] | None:
        found = history.between(NOON - timedelta(minutes=2), NOON + timedelta(minutes=8), self.soon)
        return None if found is None else list(found)


@pytest.mark.parametrize(
    "envelope",
    [
        [ROW],
        {"data": [ROW]},
        {"results": [ROW], "total": 1},
        {"items": [ROW]},
        {"requests": [ROW]},
        {"data": {"results": [ROW], "page": 1}},
        {"data": [ROW, None, 7, "x", [], {}, {"request_id": 1}]},
    ],
)
def test_rows_come_in_any_envelope(envelope: object) -> None:
    """The vendor's was never seen; what is no row is left out."""
    asking = Asking(lambda *_: (200, envelope))
    with asking.open() as history:
        assert asking.rows(history) == [READ]


@pytest.mark.parametrize(
    "page",
    [{}, {"data": None}, {"error": "x"}, "rows", 7, None, b"<html>", b"", b"[" * 100_000,
     b'{"data":' * 900 + b"[]" + b"}" * 900],
)  # fmt: skip
def test_what_is_no_page_is_no_answer(page: object) -> None:
    """Not read is not the same as empty: None, and the history is then left alone for half a minute."""
    asking = Asking(lambda *_: (200, page))
    with asking.open() as history:
        assert asking.rows(history) is None


@pytest.mark.parametrize("status", [0, 401, 403, 404, 429, 500, 503, 301])
def test_a_history_that_fails_is_left_alone(status: int) -> None:
    """Nothing is raised, and for thirty seconds it is not asked again: nothing else gets slower."""
    asking = Asking(lambda *_: (status, {"error": "no"}))
    with asking.open() as history:
        assert (asking.rows(history), history.find("r1", asking.soon)) == (None, None)
        assert len(asking.paths) == (2 if status == 404 else 1)  # 404 says that there is no such row
        asking.says = lambda *_: (200, [ROW])
        asking.clock.advance(31)
        assert asking.rows(history) == [READ]


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 250])
def test_all_pages_are_read(count: int) -> None:
    """A hundred rows each, in the order in which they were made, of our model and the days asked for."""

    def says(_: str, query: dict[str, str]) -> tuple[int, object]:
        start = (int(query["page"]) - 1) * 100
        return 200, {"data": [{**ROW, "request_id": f"r{n}"} for n in range(count)][start : start + 100]}

    asking = Asking(says)
    with asking.open() as history:
        rows = asking.rows(history)
        assert rows is not None
        assert [row.request_id for row in rows] == [f"r{n}" for n in range(count)]
        assert asking.queries[0] == {
            "page": "1", "per_page": "100", "from_date": "2026-03-14", "to_date": "2026-03-14",
            "model_name": "runway-gen4-image", "sort_by": "model_created", "sort_order": "asc",
        }  # fmt: skip
        assert len(asking.queries) == count // 100 + 1


def test_a_page_that_fails_makes_the_whole_unreadable() -> None:
    """Half a history could make a match look certain that is not."""
    asking = Asking(lambda _, query: (200, [ROW] * 100) if query["page"] == "1" else (500, {}))
    with asking.open() as history:
        assert asking.rows(history) is None


def test_a_history_without_an_end_is_left_at_the_deadline() -> None:
    """It says the same page for ever: at the deadline that is no answer."""
    asking = Asking(lambda *_: (asking.clock.advance(1), (200, [ROW] * 100))[1])  # type: ignore[func-returns-value]
    with asking.open() as history:
        assert asking.rows(history) is None
        assert len(asking.paths) <= 20


def test_a_sweep_reads_a_day_once() -> None:
    """For a few seconds the same days are remembered; other days, and later, are read anew."""
    asking = Asking(lambda *_: (200, [ROW]))
    with asking.open() as history:
        assert asking.rows(history) == asking.rows(history) == [READ]
        assert len(asking.paths) == 1
        history.between(NOON - timedelta(days=1), NOON, asking.soon)
        asking.clock.advance(11)
        asking.rows(history)
        assert len(asking.paths) == 3


@pytest.mark.parametrize("envelope", [ROW, {"data": ROW}])
def test_one_row_by_its_id(envelope: object) -> None:
    """The id is quoted into the path; a completed call's image comes with its receipt, as if its claimant had heard."""
    asking = Asking(lambda *_: (200, envelope))
    with asking.open() as history:
        assert history.find("r/1", asking.soon) == READ
        assert asking.paths == ["/history/r%2F1"]
        receipt = history.fetch(READ, asking.soon).receipt
        assert (receipt.request_id, receipt.cost_usd, receipt.generation_seconds) == ("r1", 0.1, 30.6)


def test_an_error_is_cleaned() -> None:
    """What looks like a key is removed before it is shown."""
    asking = Asking(lambda *_: (200, [{**ROW, "model_status": "FAILED", "error": "key SG_sentinel refused"}]))
    with asking.open() as history:
        rows = asking.rows(history)
        assert rows
        assert "SG_sentinel" not in rows[0].error
        assert "refused" in rows[0].error


def test_a_history_that_is_being_read_is_not_waited_for_beyond_the_deadline() -> None:
    """Another thread reads the same days; for this one that is no answer."""
    asking = Asking(lambda *_: (200, [ROW]))
    with asking.open() as history:
        history._reading.acquire()
        assert history.between(NOON, NOON, Deadline.within(asking.clock, 0.01)) is None
        history._reading.release()
        assert asking.rows(history) == [READ]


def test_a_history_of_too_many_pages_is_not_read() -> None:
    """Two thousand of them are more than any account has: what is read so far is not the whole."""
    clock = FakeClock()
    pages: list[str] = []

    class Endless(SegmindHistory):
        def _get(self, url: str, deadline: Deadline) -> object:
            del deadline
            pages.append(url)
            return [None] * 100

    client = SegmindClient("SG_sentinel", "http://127.0.0.1:9", clock, 2)
    history = Endless(client, "http://127.0.0.1:9/history", clock)
    assert history.between(NOON, NOON, Deadline.within(clock, 20)) is None
    assert len(pages) == 2000
