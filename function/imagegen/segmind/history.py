"""Segmind's request history: what became of calls, failed and running ones included. Free of charge.

The envelope, the timestamps' names and their zone were never seen, so they are read tolerantly; times without a zone
count as UTC. An absent row proves nothing. It is asked on its own host, with the same key.
"""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import cast
from urllib.parse import quote, urlencode

from imagegen import log
from imagegen.failure import ServiceError
from imagegen.model import HistoryRow, Receipt, fingerprint_of, utc_day
from imagegen.ports import Clock, Deadline, Generation
from imagegen.segmind.client import SegmindClient
from imagegen.segmind.hosted import Finished
from imagegen.segmind.images import json_in, read_body
from imagegen.segmind.values import moment_of, number, printable_id

MODEL = "runway-gen4-image"
_PER_PAGE = 100
_MOST_PAGES = 2000
_REMEMBERED_SECONDS = 10.0
_ATTEMPT_SECONDS = 10.0
_REST_SECONDS = 30.0  # after it could not be read it is left alone for so long: nothing else gets slower
_LISTS = ("data", "results", "items", "requests", "rows", "history")
_TIMES = ("model_created", "created_at", "createdAt", "created", "timestamp", "date_created", "start_time")


class SegmindHistory:
    """Implements `ports.History`."""

    def __init__(self, client: SegmindClient, url: str, clock: Clock) -> None:
        self._client, self._url, self._clock = client, url, clock
        self._reading = threading.Lock()
        self._rests_until = 0.0
        self._days, self._rows, self._read_at = ("", ""), cast("Sequence[HistoryRow] | None", None), 0.0

    def find(self, segmind_id: str, deadline: Deadline) -> HistoryRow | None:
        """Return the row of one call; None where there is none yet, or the history cannot be read."""
        value = self._get(f"{self._url}/{quote(segmind_id, safe='')}", deadline)
        inner = value.get("data") if isinstance(value, dict) else None
        return row_of(inner if isinstance(inner, dict) else value, self._client.said)

    def between(self, start: datetime, end: datetime, deadline: Deadline) -> Sequence[HistoryRow] | None:
        """Return the rows of this model's calls on the days of that time; None where they cannot be read whole.

        They are remembered for a few seconds: a sweep asks for the same days for every unknown of theirs.
        """
        days = utc_day(start), utc_day(end)
        if not self._reading.acquire(timeout=deadline.left):
            return None
        try:
            if days != self._days or self._clock.monotonic() - self._read_at > _REMEMBERED_SECONDS:
                self._rows, self._days = self._read(*days, deadline), days
                self._read_at = self._clock.monotonic()
            return self._rows
        finally:
            self._reading.release()

    def _read(self, first: str, last: str, deadline: Deadline) -> Sequence[HistoryRow] | None:
        found: list[HistoryRow] = []
        fixed = {"per_page": _PER_PAGE, "from_date": first, "to_date": last, "model_name": MODEL}
        for page in range(1, _MOST_PAGES + 1):
            query = {"page": page, **fixed, "sort_by": "model_created", "sort_order": "asc"}
            listed = _listed(self._get(f"{self._url}?{urlencode(query)}", deadline))
            if listed is None:
                return None
            found += (row for value in listed if (row := row_of(value, self._client.said)))
            if len(listed) < _PER_PAGE:
                return found
        return None

    def fetch(self, row: HistoryRow, deadline: Deadline) -> Generation:
        """Return the image of a completed call. Reading it raises SegmindError."""
        receipt = Receipt(row.request_id, row.cost_usd, generation_seconds=row.generation_seconds)
        named = json.dumps({"output": row.url}).encode()
        return Finished(receipt, lambda _waited: named, self._client, deadline)

    def _get(self, url: str, deadline: Deadline) -> object:
        """Return a JSON value; None where there is none. What cannot be read is then left alone for a while."""
        if deadline.left <= 0 or self._clock.monotonic() < self._rests_until:
            return None
        try:
            with self._client.call("GET", url, deadline.sooner(_ATTEMPT_SECONDS)) as response:
                return json_in(read_body(response))
        except ServiceError as error:
            if error.code == "segmind-model-not-found":
                return None  # no such row (yet)
            cause = error.code
        except ValueError:
            cause = "not JSON"
        log.history_unavailable(cause)
        self._rests_until = self._clock.monotonic() + _REST_SECONDS
        return None


def row_of(value: object, clean: Callable[[str], str] = str) -> HistoryRow | None:
    """Return what a row says, its error cleaned; None for what is no row that can be relied on."""
    if not isinstance(value, dict):
        return None
    request_id, status = printable_id(value.get("request_id")), value.get("model_status")
    told = value.get("credits_deduction")
    cost = number(told)
    if request_id is None or "/" in request_id or (told is not None and cost is None):
        return None
    pending = HistoryRow(request_id, "PENDING", _sent(value), _time(value))
    status = status.upper() if isinstance(status, str) else ""
    if status not in {"COMPLETED", "FAILED"}:
        return pending
    latency, error = number(value.get("latency_ms")), value.get("error")
    return replace(
        pending,
        status="COMPLETED" if status == "COMPLETED" else "FAILED",
        cost_usd=cost,
        url=_url(value),
        error=clean(error) if isinstance(error, str) else "",
        generation_seconds=None if latency is None else latency / 1000,
    )


def _listed(value: object, envelopes: int = 3) -> list[object] | None:
    """Return the rows of a page, out of at most so many envelopes of any of these names."""
    if isinstance(value, list):
        return value
    if not isinstance(value, dict) or envelopes == 0:
        return None
    for name in _LISTS:
        inner = value.get(name)
        if isinstance(inner, (list, dict)):
            return _listed(inner, envelopes - 1)
    return None


def _sent(row: Mapping[str, object]) -> str | None:
    """Return the fingerprint of the inputs, as `ImageRequest.fingerprint` makes it of what is sent."""
    body = row.get("request_body")
    if isinstance(body, str):
        try:
            body = json.loads(body)
        except (ValueError, RecursionError):
            return None
    if not isinstance(body, dict) or not isinstance(body.get("promptText"), str):
        return None
    listed, ratio = body.get("referenceImages") or [], body.get("ratio") or "1280:720"
    if not isinstance(listed, list) or not isinstance(ratio, str):
        return None
    references = [_reference(r) for r in listed if isinstance(r, dict)]
    return fingerprint_of({"promptText": body["promptText"], "referenceImages": references, "ratio": ratio})


def _reference(value: Mapping[str, object]) -> dict[str, str]:
    return {name: part for name in ("uri", "tag") if isinstance(part := value.get(name), str) and part}


def _url(row: Mapping[str, object]) -> str | None:
    found = row.get("generation_url")
    first = next(iter(found), None) if isinstance(found, list) else found
    return first if isinstance(first, str) and first else None


def _time(row: Mapping[str, object]) -> datetime | None:
    return next((moment for name in _TIMES if (moment := moment_of(row.get(name)))), None)
