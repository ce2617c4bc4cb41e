"""Faults of the request history: what becomes of one call's row, and how a page of rows is told."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256

from mock_segmind.calls import GENERATING
from mock_segmind.faults.answers import HTML
from mock_segmind.faults.behaviour import Behaviour, Edit, Listing, RowEdit
from mock_segmind.faults.entry import Entry, Option, Options, Play, Seen, edits, flag
from mock_segmind.replies import Json, JsonObject, Reply, json_reply, utc

SECONDS = Option("seconds", "60", "how long after the call, on the fake's clock", float)
TIMES = ("model_created", "model_updated")
FAILED_SEEN = Seen(500, "error", then=Seen(200, "failed row"))


def _row(name: str, does: str, body: str, make: Callable[[Options], RowEdit], *options: Option) -> Entry:
    """Return a fault of one call's rows; the call itself is answered and billed as usual."""
    play: Play = lambda behaviour, given: replace(behaviour, rows=(*behaviour.rows, make(given)))  # noqa: E731  it closes over `make`
    return Entry(name, does, play, Seen(then=Seen(200, body)), options, GENERATING)


def _page(name: str, does: str, body: str, play: Play, *options: Option) -> Entry:
    return Entry(name, does, play, Seen(200, body), options, ("history", "history-row"))


def _list(name: str, does: str, body: str, make: Callable[[Options], Listing], *options: Option) -> Entry:
    play: Play = lambda behaviour, given: replace(behaviour, listing=make(given))  # noqa: E731  as above
    return Entry(name, does, play, Seen(200, body), options, ("history",))


def _at_first(change: Callable[[list[JsonObject]], list[JsonObject]]) -> Callable[[Options], RowEdit]:
    """Return an edit of rows for as long as the call is younger than `seconds`."""
    return lambda given: lambda rows, age: rows if age >= given.number("seconds") else change(rows)


def _pending(rows: list[JsonObject]) -> list[JsonObject]:
    pending: JsonObject = {"model_status": "PENDING", "generation_url": None, "credits_deduction": 0.0}
    return [row | pending | {"latency_ms": None} for row in rows]


def _bare(rows: list[JsonObject]) -> list[JsonObject]:
    """Return rows whose requests' fields have not landed."""
    bare = dict.fromkeys(("model_status", "credits_deduction", "request_body", "latency_ms"))
    return [row | bare for row in rows]


def _without_url(rows: list[JsonObject], _: float) -> list[JsonObject]:
    return [row | {"generation_url": None} for row in rows]


def _failing(behaviour: Behaviour, given: Options) -> Behaviour:
    return replace(behaviour, failure=given["message"])


def _html(behaviour: Behaviour, _: Options) -> Behaviour:
    return replace(behaviour, refusal=lambda: HTML)


def rows_in(body: Json) -> list[JsonObject]:
    """Return the rows of an answer: of a page, or the one that was asked for."""
    rows = body.get("data", [body]) if isinstance(body, dict) else body
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _enveloped(given: Options) -> Edit:
    def edit(reply: Reply) -> Reply:
        if reply.status != 200:
            return reply
        rows: list[Json] = [*rows_in(reply.fields)]
        told: Json = rows if given["name"] == "list" else {given["name"]: rows, "page": 1}
        return json_reply(200, told)

    return _keeping_headers(edit)


def _keeping_headers(edit: Edit) -> Edit:
    """Return an edit that leaves the headers of the answer as they were."""
    return lambda reply: replace(edit(reply), headers=reply.headers)


def _retimed(given: Options) -> Edit:
    """Write the rows' times under other names, in another format and zone."""

    def edit(reply: Reply) -> Reply:
        body = reply.fields
        for row in rows_in(body) if reply.status == 200 else []:
            for old, new in zip(TIMES, given["names"].split("+"), strict=True):
                row[new] = _moment(str(row.pop(old)), given)
        return json_reply(reply.status, body)

    return _keeping_headers(edit)


def _moment(iso: str, given: Options) -> Json:
    moment = datetime.fromisoformat(iso).astimezone(timezone(timedelta(minutes=given.whole("minutes"))))
    formats: dict[str, Json] = {
        "iso": moment.isoformat(),
        "naive": moment.replace(tzinfo=None).isoformat(),
        "space": moment.strftime("%Y-%m-%d %H:%M:%S.%f"),
        "epoch": moment.timestamp(),
        "millis": int(moment.timestamp() * 1000),
        "http": moment.astimezone(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT"),
    }
    return formats[given["format"]]


def _unordered(rows: Sequence[JsonObject], _: float, __: float) -> Sequence[JsonObject]:
    return sorted(rows, key=lambda row: sha256(str(row["request_id"]).encode()).digest())


class Crowd(Sequence[JsonObject]):
    """Rows of another user of the account, made when they are read: evenly over the window, ours in their places."""

    def __init__(self, own: Sequence[JsonObject], count: int, window: tuple[float, float]) -> None:
        self._count, (self._start, end) = count, window
        self._end, self._step = end, (end - self._start) / max(count, 1)
        places = [self._place(str(row["model_created"])) for row in own]
        self._own = {place + number: row for number, (place, row) in enumerate(zip(places, own, strict=True))}
        self._before = sorted(self._own)

    def _place(self, iso: str) -> int:
        """Return how many of the crowd's rows are newer."""
        newer = (self._end - datetime.fromisoformat(iso).timestamp()) / self._step if self._count else 0
        return min(max(int(newer), 0), self._count)

    def __len__(self) -> int:
        return self._count + len(self._own)

    def __getitem__(self, index: int) -> JsonObject:  # type: ignore[override]  # no slice is ever asked for
        if index in self._own:
            return self._own[index]
        number = index - bisect_left(self._before, index)
        return foreign_row(f"crowd-{number}", self._end - (number + 0.5) * self._step, prompt=f"a dog {number}")


def _crowded(given: Options) -> Listing:
    return lambda rows, *window: Crowd(rows, given.whole("count"), window)


def foreign_row(request_id: str, created: float, prompt: str = "a dog", cost: float = 0.1) -> JsonObject:
    """Return a finished row of another user of the account. `created` is Unix time, `cost` in USD."""
    return {
        "request_id": request_id,
        "model_name": "runway-gen4-image",
        "model_status": "COMPLETED",
        "credits_deduction": cost,
        "request_body": {"promptText": prompt, "referenceImages": []},
        "generation_url": f"https://images.segmind.invalid/outputs/{request_id}.jpg",
        "latency_ms": 30_640,
        "model_created": utc(created),
        "model_updated": utc(created + 30.64),
        "user_id": "another-user",
    }


MESSAGE = Option("message", "The model failed to generate an image", "the error's text")
BILLED = Option("billed", "false", "true: it is billed although it failed", flag)
OUTPUTS = Option("count", "2", "how many", int)
CROWD = Option("count", "100000", "how many", int)
PLACE = Option("name", "results", "where: a field, or a bare list", choices=("results", "data", "items", "list"))
TIME_OPTIONS = (
    Option("format", "iso", "the format", choices=("iso", "naive", "space", "epoch", "millis", "http")),
    Option("minutes", "330", "the zone, in minutes east of UTC", int),
    Option("names", "created_at+updated_at", "the names of the call's and of the last change's time"),
)
TWICE = "the call has several outputs: a row for each, every one with the whole cost"
FAILED = "the generation fails after it started; its row says FAILED and why"
TIMED = "the rows' times have other names, another format or zone"
ENTRIES = (
    _row("history-late", "the call's row lands late in the history", "no row", _at_first(lambda _: []), SECONDS),
    _row("history-never", "the call never gets a row", "no row", lambda _: lambda *_: []),
    _row("history-twice", TWICE, "two rows", lambda given: lambda rows, _: rows * given.whole("count"), OUTPUTS),
    _row(
        "history-pending", "the call's row says PENDING long after its end", "pending row", _at_first(_pending), SECONDS
    ),
    _row(
        "history-bare",
        "the call's row lacks the request's fields until they land",
        "bare row",
        _at_first(_bare),
        SECONDS,
    ),
    _row("history-no-url", "the call's row is COMPLETED and names no image", "row without URL", lambda _: _without_url),
    Entry("history-failed", FAILED, _failing, FAILED_SEEN, (MESSAGE, BILLED), on=("v1",), billed=False),
    _page("history-envelope", "the rows stand elsewhere in the answer", "rows under results", edits(_enveloped), PLACE),
    _page("history-times", TIMED, "rows with other times", edits(_retimed), *TIME_OPTIONS),
    _page("history-html", "a 200 that is an HTML page", "html", _html),
    _list("history-unordered", "the rows come in no order", "rows", lambda _: _unordered),
    _list("history-foreign", "rows of another user of the account stand beside ours", "foreign rows", _crowded, CROWD),
)
