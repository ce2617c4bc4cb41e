"""Faults of v2's three requests: submit, status, result."""

from collections.abc import Callable
from dataclasses import replace

from mock_segmind.calls import Operation
from mock_segmind.faults.behaviour import Behaviour
from mock_segmind.faults.entry import Entry, Option, Options, Play, Seen, edits
from mock_segmind.replies import JsonObject, Reply, error, json_reply

SUBMIT: tuple[Operation, ...] = ("v2-submit",)
READS: tuple[Operation, ...] = ("v2-status", "v2-result")
RESULT: tuple[Operation, ...] = ("v2-result",)
URLS = ("poll_url", "status_url", "response_url")
FOREIGN = "https://queue.segmind.invalid"
MESSAGE = Option("message", "The model failed to generate an image", "the error's text")
STATUS = Option("status", "422", "the HTTP status that a failed job is read with", int)
COUNT = Option("count", "2", "how many times", int)
POLLS = "the job is done after being asked about so many times: QUEUED, PROCESSING, then COMPLETED"
ELSEWHERE = "the submit's URLs name another host, which must not get the key"


def _edit(change: Callable[[JsonObject], JsonObject], status: int | None = None) -> Play:
    """Return a play that changes the fields of a good answer, and its status where one is given."""

    def edit(reply: Reply) -> Reply:
        if reply.status >= 400:
            return reply
        return json_reply(status or reply.status, change(reply.fields)).with_headers(reply.headers)

    return edits(lambda _: edit)


def _without(*names: str, status: int | None = None) -> Play:
    return _edit(lambda body: {name: value for name, value in body.items() if name not in names}, status)


def _foreign(body: JsonObject) -> JsonObject:
    return body | {name: f"{FOREIGN}/{str(body[name]).split('/', 3)[3]}" for name in URLS}


def _failing(behaviour: Behaviour, given: Options) -> Behaviour:
    return replace(behaviour, failure=given["message"], job_status=given.whole("status"))


def _expired(behaviour: Behaviour, _: Options) -> Behaviour:
    return replace(behaviour, refusal=lambda: error(404, "Request ID not found"))


def _by_polls(behaviour: Behaviour, given: Options) -> Behaviour:
    return replace(behaviour, polls=given.whole("count"))


def _stuck(behaviour: Behaviour, _: Options) -> Behaviour:
    return replace(behaviour, stuck=True)


def _job(name: str, does: str, then: Seen, play: Play, *options: Option, billed: bool = False) -> Entry:
    """Return a fault of the job itself, which is submitted as usual."""
    return Entry(name, does, play, Seen(202, "job", then=then), options, SUBMIT, billed)


def _submit(name: str, does: str, body: str, play: Play, status: int = 202) -> Entry:
    return Entry(name, does, play, Seen(status, body), on=SUBMIT)


def _result(name: str, does: str, body: str, play: Play) -> Entry:
    return Entry(name, does, play, Seen(200, body), on=RESULT)


NO_ID, NOTHING = _without("request_id", status=200), _without("output", "images")
ENTRIES = (
    _job("v2-failed", "the job ends as FAILED", Seen(422, "failed"), _failing, MESSAGE, STATUS),
    _job("v2-stuck", "the job never ends", Seen(200, "unfinished"), _stuck),
    _job("v2-polls", POLLS, Seen(200, "result"), _by_polls, COUNT, billed=True),
    _submit("v2-submit-200", "the submit answers 200 instead of 202", "job", _without(status=200), 200),
    _submit("v2-no-urls", "the submit names only the request id", "job without URLs", _without(*URLS)),
    _submit("v2-no-id", "the submit answers 200 without a request id", "job without id", NO_ID, 200),
    _submit("v2-foreign-urls", ELSEWHERE, "job elsewhere", _edit(_foreign)),
    Entry("v2-expired", "the job's record is gone: 404 `Request ID not found`", _expired, Seen(404, "error"), on=READS),
    _result("v2-no-metrics", "the result has no metrics", "result without metrics", _without("metrics")),
    _result("v2-no-output", "the result has `images` only", "result without output", _without("output")),
    _result("v2-no-images", "the result has `output` only", "result without images", _without("images")),
    _result("v2-nothing", "the result is COMPLETED and names no image", "result without output, images", NOTHING),
)
