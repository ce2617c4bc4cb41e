"""v2: submit, then poll. Once Segmind's id is written down, no crash of ours can lose or repeat the generation.

The submit itself is the only ambiguous call: where its answer never comes, only Segmind knows the id.
"""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import chain, repeat
from urllib.parse import quote

from imagegen.errors import OutcomeUnknown, SegmindError, SegmindFailed, SegmindModelNotFound
from imagegen.model import ImageRequest, Receipt
from imagegen.ports import Clock, Deadline, Generation, StillGenerating
from imagegen.segmind.client import SegmindClient
from imagegen.segmind.failures import ending_of, message_of
from imagegen.segmind.hosted import Finished
from imagegen.segmind.images import json_in, read_body
from imagegen.segmind.values import number, printable_id

PATH = "/v2/runway-gen4-image"
_EXPIRES = timedelta(hours=1)  # after so long a record may be gone
_NEVER_ENDS = timedelta(days=1)  # what is at work for so long is not waited for any more
_EXPIRED = "Segmind does not know this generation any more; its records expire."
_ENDS = ("COMPLETED", "FAILED")
_FAILED_STATUS = 422  # a gateway's own error may say FAILED too: of the look, not of the generation
_POLL_SECONDS = 10.0  # for one look; a look costs nothing and is repeated


class SegmindV2:
    """Implements `ports.Generator` with jobs that can be asked for again."""

    def __init__(self, calls: SegmindClient, clock: Clock) -> None:
        self._calls, self._clock = calls, clock

    def generate(self, request: ImageRequest, deadline: Deadline, submitted: Callable[[str], bool]) -> Generation:
        """Buy one image and wait for it. Raises StillGenerating at the deadline: it goes on without us."""
        segmind_id, since = self._submit(request, deadline), self._clock.now()
        return self._await(segmind_id, since, deadline, lambda: submitted(segmind_id))

    def resume(self, segmind_id: str, submitted_at: datetime, deadline: Deadline) -> Generation:
        """Wait for a generation that was submitted before. Raises SegmindError only for its end."""
        return self._await(segmind_id, submitted_at, deadline, lambda: True)

    def _await(self, segmind_id: str, since: datetime, deadline: Deadline, write: Callable[[], bool]) -> Generation:
        """Look until there is an end, and write the id down meanwhile. A record expires an hour after the submit.

        Before that a 404 says nothing: a record can appear late, and a wrong base URL knows none. What has no end after
        a day is unknown: the vendor's history may still tell of it.
        """
        written = False
        for pause in chain((0.25, 0.5, 1.0, 2.0), repeat(3.0)):  # a generation takes about half a minute
            written = written or write()
            try:
                record = self._look(segmind_id, deadline)
                if record is not None:
                    return self._finished(record, deadline)
            except SegmindModelNotFound:
                if self._clock.now() - since >= _EXPIRES:
                    raise OutcomeUnknown(_EXPIRED) from None
            if deadline.left <= pause:
                if self._clock.now() - since >= _NEVER_ENDS:
                    raise OutcomeUnknown("For a day Segmind has not said how this generation ended.")
                raise StillGenerating
            self._clock.sleep(pause)
        raise AssertionError("pauses never end")

    def _finished(self, record: dict[str, object], deadline: Deadline) -> Generation:
        named = json.dumps({name: record.get(name) for name in ("output", "images", "image")}).encode()
        return Finished(receipt_in(record), lambda _waited: named, self._calls, deadline)

    def _submit(self, request: ImageRequest, deadline: Deadline) -> str:
        with self._calls.buy(PATH, request.body(), deadline) as response:
            try:
                value = json_in(read_body(response))
            except (SegmindError, ValueError):
                value = None
        found = printable_id(value.get("request_id")) if isinstance(value, dict) else None
        if found is None:
            raise OutcomeUnknown("Segmind took the request, but its answer names no request id.")
        return found

    def _look(self, segmind_id: str, deadline: Deadline) -> dict[str, object] | None:
        """Return a finished generation's record, or None where it is worth another look. Raises what ended it."""
        path = f"/v2/requests/{quote(segmind_id, safe='')}"
        try:
            status = self._get(f"{path}/status", deadline).get("status")
            if status not in _ENDS:
                return None
            record = self._get(path, deadline)
        except SegmindError as error:
            if error.upstream_state == "FAILED" and error.upstream_status == _FAILED_STATUS:
                raise ending_of(error) from None
            if isinstance(error, SegmindModelNotFound):
                raise
            return None  # a look that went wrong says nothing about the generation
        if record.get("status") == "FAILED":
            raise ending_of(SegmindFailed(self._calls.said(message_of(json.dumps(record).encode()))))
        return record if record.get("status") == "COMPLETED" else None

    def _get(self, path: str, deadline: Deadline) -> dict[str, object]:
        with self._calls.call("GET", path, deadline.sooner(_POLL_SECONDS)) as response:
            try:
                value = json_in(read_body(response))
            except ValueError:
                raise SegmindFailed("A status answer is not JSON.") from None
        if not isinstance(value, dict):
            raise SegmindFailed("A status answer is not a JSON object.")
        return value


def receipt_in(record: dict[str, object]) -> Receipt:
    """Return what a v2 record says; metrics can be missing."""
    found = record.get("metrics")
    metrics = found if isinstance(found, dict) else {}
    return Receipt(
        request_id=printable_id(record.get("request_id")),
        cost_usd=number(metrics.get("cost")),
        remaining_credits=number(metrics.get("remaining_credits")),
        generation_seconds=number(metrics.get("inference_time")),
    )
