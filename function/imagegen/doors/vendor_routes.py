"""Segmind's own v2 routes, for its SDK: submit, status, result. The same pipeline; the request id is the image's."""

from typing import TYPE_CHECKING

from flask import Request, Response
from werkzeug.routing import Rule

from imagegen.doors.answers import json_answer
from imagegen.model import SignedUrl

if TYPE_CHECKING:
    from imagegen.pipeline.claiming import Outcome

VENDORS_OWN = (
    Rule("/v2/runway-gen4-image", methods=["POST"], endpoint="submit"),
    Rule("/v2/requests/<image_id>/status", methods=["GET"], endpoint="submitted_status"),
    Rule("/v2/requests/<image_id>", methods=["GET"], endpoint="submitted_result"),
)
NO_QUEUE = (
    "Segmind's v2 routes queue their jobs, and this service has no uploads bucket to queue them in. "
    "Use POST /v1/runway-gen4-image (run_sync in Segmind's SDK)."
)
_FAILED_STATUS = 422  # a generation that failed is read under this status


def submitted(outcome: "Outcome", request: Request) -> Response:
    """Answer a submit: where the job's status and result are."""
    image_id, url = outcome.claim.id, f"{_origin(request)}/v2/requests/{outcome.claim.id}"
    body = {
        "request_id": image_id,
        "status": _state(outcome) if outcome.ending else "QUEUED",
        "poll_url": f"{url}/status",
        "status_url": f"{url}/status",
        "response_url": url,
    }
    replayed = {"Idempotent-Replayed": "true"} if outcome.replayed else {}
    return json_answer(body, 202, {"Location": f"/v1/images/{image_id}", **replayed})


def status(outcome: "Outcome") -> Response:
    """Answer a look at a job."""
    told: dict[str, object] = {"request_id": outcome.claim.id, "status": _state(outcome)}
    error = outcome.ending.error if outcome.ending else None
    if error is None:
        return json_answer(told)
    told |= {"status": "FAILED", "error": error.detail, "code": error.code, "billed": error.billed}
    return json_answer(told, _FAILED_STATUS)


def result(outcome: "Outcome", url: SignedUrl | None) -> Response:
    """Answer with the result of a job, or with its state while there is none."""
    ending = outcome.ending
    if ending is None or ending.image is None or url is None:
        return status(outcome)
    image, receipt = ending.image, ending.segmind
    name = image.name.rpartition("/")[2]
    shown = {"url": url.url, "content_type": image.content_type, "file_name": name, "file_size": image.bytes}
    seconds = (ending.completed_at - ending.claim.created_at).total_seconds()
    metrics = {
        "cost": receipt.cost_usd if receipt else None,
        "remaining_credits": receipt.remaining_credits if receipt else None,
        "inference_time": receipt.generation_seconds if receipt else None,
        "queue_time": 0.0,
        "total_time": round(seconds, 3),
    }
    told = {"request_id": outcome.claim.id, "status": "COMPLETED", "output": url.url}
    return json_answer({**told, "images": [shown], "metrics": metrics})


def _state(outcome: "Outcome") -> str:
    """Return what Segmind calls the state of a job."""
    if outcome.ending is None:
        return "QUEUED" if outcome.queued else "PROCESSING"
    return "COMPLETED" if outcome.ending.image else "FAILED"


def _origin(request: Request) -> str:
    """Return the address that the caller used: Cloud Run ends TLS and says so in a header."""
    secure = request.headers.get("X-Forwarded-Proto", request.scheme) == "https"
    return f"{'https' if secure else 'http'}://{request.host}"
