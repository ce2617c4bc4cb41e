"""One function per log event, one JSON line each on standard output, in Cloud Logging's fields.

No function here takes a prompt, a URI, a key, a signed URL or another party's error text, so none can be logged: what
a line is about is an id, a code, a number. Libraries' own loggers are silenced, since theirs name URLs. When each line
is written stands in docs/contract.md, under Logs.
"""

import json
import logging
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from imagegen.failure import ServiceError
from imagegen.model import Claim, Door, Ending, Failure

_LEVELS = logging.getLevelNamesMapping()
_context: ContextVar[dict[str, object]] = ContextVar("log_context", default={})  # noqa: B039 - never mutated
_settings = {"level": "INFO", "project": ""}


def configure(level: str, project: str | None = None) -> None:
    """Set the least severity that is written and the project that traces belong to; silence the libraries."""
    _settings.update(level=level, project=project or "")
    for name in ("urllib3", "google", "google.auth", "google.cloud", "requests"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [logging.NullHandler()], False


@contextmanager
def about(request_id: str, door: Door, trace: str | None = None) -> Iterator[None]:
    """Put these fields on every line that is written inside the block."""
    fields: dict[str, object] = {"requestId": request_id, "door": door}
    if trace:
        project = _settings["project"]
        fields["logging.googleapis.com/trace"] = f"projects/{project}/traces/{trace}" if project else trace
    token = _context.set(fields)
    try:
        yield
    finally:
        _context.reset(token)


def carrier() -> Callable[[], object]:
    """Return what a helper thread calls first, so that its lines carry the fields of this block, too."""
    fields = _context.get()
    return lambda: _context.set(fields)


def image_queued(claim: Claim) -> None:
    _write("INFO", "image_queued", f"Image {claim.id} queued", imageId=claim.id)


def image_claimed(claim: Claim) -> None:
    _write("DEBUG", "image_claimed", f"Image {claim.id} claimed", imageId=claim.id)


def image_succeeded(claim: Claim, ending: Ending) -> None:
    receipt, image = ending.segmind, ending.image
    _write(
        "INFO",
        "image_succeeded",
        f"Image {claim.id} generated and stored",
        imageId=claim.id,
        ratio=claim.request.ratio,
        references=len(claim.request.tags),
        bytes=image.bytes if image else None,
        costUsd=receipt.cost_usd if receipt else None,
        remainingCredits=receipt.remaining_credits if receipt else None,
        generationSeconds=receipt.generation_seconds if receipt else None,
        segmindRequestId=receipt.request_id if receipt else None,
    )


def image_failed(claim: Claim, failure: Failure) -> None:
    severity = "ERROR" if failure.billed != "no" else "WARNING"
    text = f"Image {claim.id} ended as {failure.code}; billed: {failure.billed}"
    _write(severity, "image_failed", text, imageId=claim.id, code=failure.code, billed=failure.billed)


def key_freed(claim: Claim, error: ServiceError) -> None:
    text = f"Image {claim.id} failed as {error.code}; nothing was billed, the key is free again"
    _write("WARNING", "key_freed", text, imageId=claim.id, code=error.code)


def state_not_written(claim: Claim, what: str) -> None:
    _write("ERROR", "state_not_written", f"Could not write {what} of image {claim.id}", imageId=claim.id, what=what)


def gate_overrun(claim: Claim, seconds: float) -> None:
    text = f"Image {claim.id} found no memory free until its deadline"
    _write("WARNING", "gate_overrun", text, imageId=claim.id, waitedSeconds=seconds)


def tidying_failed() -> None:
    _write("INFO", "tidying_failed", "Could not take a job from the list of open ones; the sweep does it")


def submission_not_written(claim: Claim, segmind_id: str) -> None:
    text = f"Could not write Segmind's id of image {claim.id}; it is written again while polling"
    _write("ERROR", "submission_not_written", text, imageId=claim.id, segmindRequestId=segmind_id)


def image_settled(claim: Claim, ending: Ending) -> None:
    code, billed = ending.error_code or ending.status, ending.error.billed if ending.error else "yes"
    text = f"Unknown image {claim.id} settled: {code}"
    _write("INFO", "image_settled", text, imageId=claim.id, code=code, billed=billed)


def image_not_recovered(image_id: str, code: str) -> None:
    text = f"Image {image_id} is in Segmind's history and could not be fetched ({code}); the next sweep tries again"
    _write("WARNING", "image_not_recovered", text, imageId=image_id, code=code)


def history_unavailable(cause: str) -> None:
    _write("WARNING", "history_unavailable", f"Segmind's history cannot be read: {cause}", cause=cause)


def image_deleted(image_id: str) -> None:
    _write("INFO", "image_deleted", f"Image {image_id} deleted", imageId=image_id)


def daily_limit_reached(scope: str) -> None:
    _write("WARNING", "daily_limit_reached", f"An order was refused: the cap of the {scope} is used up", scope=scope)


def reconciled(report: Mapping[str, object]) -> None:
    fields = {name: report[name] for name in ("day", "both", "oursOnly", "vendorsOnly", "vendorsOnlyUsd")}
    severity = "WARNING" if report["vendorsOnly"] else "INFO"
    _write(severity, "reconciled", f"{report['vendorsOnly']} of the vendor's bills are not ours", **fields)


def segmind_repeated(code: str, attempt: int, pause: float) -> None:
    text = f"Segmind call {attempt} ended as {code}, not billed; trying again in {pause:.1f} s"
    _write("WARNING", "segmind_repeated", text, code=code, attempt=attempt, pauseSeconds=round(pause, 3))


def storage_failed(operation: str, cause: str) -> None:
    _write("ERROR", "storage_failed", f"Storage: {operation} failed with {cause}", operation=operation, cause=cause)


def signing_failed(error: Exception) -> None:
    cause = type(error).__name__
    _write("ERROR", "signing_failed", f"Signing a URL failed with {cause}", cause=cause)


def unsigned_start(reason: str) -> None:
    _write("WARNING", "emulator_signing", f"Signing with a throw-away key: {reason}")


def request_ended(method: str, route: str, status: int, seconds: float) -> None:
    severity = "ERROR" if status >= 500 else "INFO"  # noqa: PLR2004 - HTTP's own line
    http = {"requestMethod": method, "requestUrl": route, "status": status, "latency": f"{seconds:.3f}s"}
    _write(severity, "request_ended", f"{method} {route} {status}", httpRequest=http)


def event_ignored(reason: str) -> None:
    _write("INFO", "event_ignored", f"Event acknowledged and left alone: {reason}", reason=reason)


def event_redelivered(reason: str) -> None:
    _write("WARNING", "event_redelivered", f"Event asked for again: {reason}", reason=reason)


def batch_queued(queued: int, replayed: int) -> None:
    _write("INFO", "batch_queued", f"{queued} images queued, {replayed} were already", queued=queued, replayed=replayed)


def swept(counts: dict[str, int]) -> None:
    _write("INFO", "swept", "Swept", **counts)


def bug(error: BaseException) -> None:
    frames = [f"{f.filename.rpartition('/')[2]}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)]
    _write("CRITICAL", "bug", f"Unexpected {type(error).__name__}", cause=type(error).__name__, frames=frames[-8:])


def _write(severity: str, event: str, message: str, **fields: object) -> None:
    if _LEVELS[severity] < _LEVELS[_settings["level"]]:
        return
    shown = {k: v for k, v in fields.items() if v is not None}
    line = {"severity": severity, "message": message, "event": event, **_context.get(), **shown}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
