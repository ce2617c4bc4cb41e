"""The vendor's request history: what became of every call, also of one whose answer never came."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

import pytest
from segmind import SegmindClient, SegmindError

from mock_segmind import FakeSegmind, Picture
from tests.cases import rows as cases
from tests.contract import mock_client as plain

HOUR = 3_600


def generate(segmind: FakeSegmind, prompt: str = "a cat", line: str = plain.V1) -> plain.Outcome:
    return plain.ask(segmind, prompt, line, timeout=0.5)


def read(segmind: FakeSegmind, query: str = "", key: str | None = None) -> plain.Outcome:
    line = f"GET /inference-request/{query if query.startswith('generations') else f'request-history{query}'}"
    return plain.ask(segmind, line=line, key=key)


def rows(segmind: FakeSegmind, query: str = "") -> list[Any]:
    found = read(segmind, query).fields["data"]
    assert isinstance(found, list)
    return found


@pytest.fixture
def client(segmind: FakeSegmind, monkeypatch: pytest.MonkeyPatch) -> Iterator[SegmindClient]:
    """The vendor's SDK; the history's address is a constant of its module."""
    monkeypatch.setattr(import_module("segmind.generations"), "REQUEST_HISTORY_URL", segmind.history_url)
    client = SegmindClient(api_key=segmind.key, base_url=f"{segmind.url}/v1")
    yield client
    client._client.close()


def test_the_vendors_sdk_reads_it(client: SegmindClient, segmind: FakeSegmind) -> None:
    """`history` and `get` find a v1 call with its inputs as sent, its cost, and a URL of its image."""
    client.run_sync("runway-gen4-image", promptText="a cat", referenceImages=[{"tag": "model"}])
    (row,) = client.generations.history(model_name="gen4", status="COMPLETED")["data"]
    assert row["request_body"] == {"promptText": "a cat", "referenceImages": [{"tag": "model"}]}
    assert (row["credits_deduction"], row["model_name"]) == (0.1, "runway-gen4-image")
    image = plain.call(segmind.url, f"GET {row['generation_url'].removeprefix(segmind.url)}")
    assert image.body == Picture("a cat", tags=("model",)).encoded()
    assert client.generations.get(row["request_id"]) == row
    with pytest.raises(SegmindError) as caught:
        client.generations.get("unknown")
    assert (caught.value.status, caught.value.detail) == (404, "Request unknown not found")


@pytest.mark.parametrize(("magic", "row"), cases("mock_history_rows"))
def test_a_row_says_what_became_of_a_call(segmind: FakeSegmind, magic: str, row: list[object] | None) -> None:
    """Also where its answer was lost; the cost is what the ledger billed, to the cent."""
    generate(segmind, f"[mock:{magic}]")
    found = [[row["model_status"], row["credits_deduction"]] for row in rows(segmind)]
    assert found == ([row] if row else [])
    assert sum(cost for _, cost in found) == float(segmind.ledger.total_billed)
    assert all(row["error"] for row in rows(segmind, "?status=FAILED"))
    segmind.clear()  # what hangs need not be waited for


def test_a_call_that_runs_is_pending(segmind: FakeSegmind) -> None:
    """A client that hung up sees its call PENDING, then COMPLETED and billed."""
    assert generate(segmind, "[mock:slow=1]").broken == "TimeoutError"
    assert [row["model_status"] for row in rows(segmind)] == ["PENDING"]
    assert segmind.ledger.wait(lambda ledger: bool(ledger.billed()))
    assert [row["model_status"] for row in rows(segmind)] == ["COMPLETED"]


@pytest.mark.parametrize("line", [plain.V1, plain.V2])
def test_a_late_row_lands_when_the_clock_says_so(segmind: FakeSegmind, line: str) -> None:
    """No minute is waited for: the test moves the clock."""
    generate(segmind, "[mock:reset][mock:history-late=3600]", line)
    assert rows(segmind) == []
    assert [row["prompt"] for row in read(segmind, "generations").fields["data"]] == [None]  # type: ignore[union-attr,index,call-overload]
    segmind.clock.advance(HOUR)
    assert [row["model_status"] for row in rows(segmind)] == ["COMPLETED"]


def test_v1_calls_can_be_left_out(segmind: FakeSegmind) -> None:
    """The vendor neither says nor excludes that v1 calls are listed."""
    segmind.settings.history_lists_v1 = False
    ids = [generate(segmind, "a cat", line).headers["x-request-id"] for line in (plain.V1, plain.V2)]
    assert [row["request_id"] for row in rows(segmind)] == ids[1:]
    assert [read(segmind, f"/{one}").status for one in ids] == [404, 200]


def test_foreign_rows_stand_beside_ours(segmind: FakeSegmind) -> None:
    """They are listed and not found by id, over Python and over HTTP; another account's history has none of ours."""
    segmind.accounts.open("other", 5)
    ours = generate(segmind).headers["x-request-id"]
    foreign = segmind.add_foreign("a cat", model_status="FAILED", credits_deduction=0.0)
    added = plain.call(segmind.url, "POST /_mock/history/foreign", {"count": 2, "prompt": "a cat"}).fields["rows"]
    assert len(rows(segmind)) == 4
    assert {ours, foreign["request_id"]} < {row["request_id"] for row in rows(segmind)}
    assert isinstance(added, list)
    assert read(segmind, f"/{foreign['request_id']}").status == 404
    assert read(segmind, f"/{ours}", key="other").status == 404


def test_pages_and_order(segmind: FakeSegmind) -> None:
    """Newest first or oldest first, each row once over all pages."""
    for number in range(5):
        generate(segmind, f"cat {number}")
        segmind.clock.advance(1)
    pages = [rows(segmind, f"?per_page=2&page={page}") for page in (1, 2, 3, 4)]
    prompts = [row["request_body"]["promptText"] for page in pages for row in page]
    assert ([len(page) for page in pages], prompts) == ([2, 2, 1, 0], [f"cat {number}" for number in (4, 3, 2, 1, 0)])
    upwards = [row["request_body"]["promptText"] for row in rows(segmind, "?sort_order=asc")]
    assert upwards == prompts[::-1]


def test_a_hundred_thousand_rows_have_pages(segmind: FakeSegmind) -> None:
    """Ours stands in its place among them; only the rows of the page that is asked for are made."""
    ours = generate(segmind).headers["x-request-id"]
    segmind.faults.add("history-foreign", times=None)
    times: list[str] = []
    for page in (1, 500, 1_001):
        times += [row["model_created"] for row in rows(segmind, f"?per_page=100&page={page}")]
    assert (len(times), times) == (201, sorted(times, reverse=True))
    found = [
        page
        for page in range(1, 150)
        for row in rows(segmind, f"?per_page=100&page={page}")
        if row["request_id"] == ours
    ]
    assert len(found) == 1


def test_the_window(segmind: FakeSegmind) -> None:
    """Seven days by default, both days included where given; one row is found at any age."""
    ours = generate(segmind).headers["x-request-id"]
    day = datetime.now(UTC).date()
    segmind.clock.advance(20 * 24 * HOUR)
    assert rows(segmind) == []
    assert len(rows(segmind, f"?from_date={day - timedelta(days=1)}&to_date={day + timedelta(days=1)}")) == 1
    assert read(segmind, f"/{ours}").status == 200


@pytest.mark.parametrize(
    "query",
    ["page=0", "per_page=101", "per_page=many", "from_date=yesterday", "status=DONE", "sort_by=age", "sort_order=up",
     "from_date=2026-01-01&to_date=2026-02-01", "from_date=2026-01-02&to_date=2026-01-01"],
)  # fmt: skip
def test_a_query_out_of_bounds_is_refused(segmind: FakeSegmind, query: str) -> None:
    """As the SDK describes its limits; keys are checked as everywhere."""
    assert (read(segmind, f"?{query}").status, read(segmind, key="unknown").status) == (400, 401)


@pytest.mark.parametrize(
    ("options", "written"),
    [("format=epoch", float), ("format=millis", int), ("format=naive", str), ("format=http,names=date+changed", str)],
)
def test_times_are_written_in_other_ways(segmind: FakeSegmind, options: str, written: type) -> None:
    """Names, format and zone of a row's times are options."""
    generate(segmind)
    segmind.faults.add(f"history-times,{options}")
    (row,) = rows(segmind)
    assert isinstance(row["date" if "names" in options else "created_at"], written)
    assert "model_created" not in row


def test_a_bare_list(segmind: FakeSegmind) -> None:
    """`history-envelope=list` answers the rows alone."""
    generate(segmind)
    segmind.faults.add("history-envelope=list")
    assert [row["model_status"] for row in read(segmind).json] == ["COMPLETED"]  # type: ignore[union-attr,index,call-overload]


def test_a_clock_of_ones_own() -> None:
    """The clock is a parameter; all of the history's times are its own."""
    with FakeSegmind(clock=lambda: 1_700_000_000.0) as fake:
        generate(fake)
        assert [row["model_created"] for row in rows(fake)] == ["2023-11-14T22:13:20.000Z"]
        moved = plain.call(fake.url, "POST /_mock/clock", {"advance": HOUR})
        assert (moved.fields, fake.clock.now()) == ({"now": 1_700_003_600.0}, 1_700_003_600.0)
    assert time.time() > fake.clock.now()
