"""Outcome → HTTP answer: the image resource, the image itself, a redirect to it, or a problem."""

import json
import math
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from flask import Response

from imagegen import log
from imagegen.doors.call import Call
from imagegen.doors.resource import problem, resource
from imagegen.errors import BY_CODE, Internal, MethodNotAllowed, StorageUnavailable, Unauthenticated
from imagegen.failure import ServiceError
from imagegen.model import Ending, Failure, SignedUrl, StoredImage
from imagegen.ports import Clock, Deadline, Signer

if TYPE_CHECKING:
    from imagegen.pipeline.claiming import Outcome
    from imagegen.pipeline.job_objects import JobObjects

_ASK_AGAIN_SECONDS = "2"
_STREAM_SECONDS = 60.0


class Answers:
    """Builds answers; signs URLs and streams images where an answer needs them."""

    def __init__(self, jobs: "JobObjects", signer: Signer, bucket: str, clock: Clock) -> None:
        self._jobs, self._signer, self._bucket, self._clock = jobs, signer, bucket, clock

    def created(self, outcome: "Outcome", call: Call, *, as_image: bool) -> Response:
        """Answer a POST: 200 with the image, 202 while it is being generated, or the problem it ended with."""
        replayed = {"Idempotent-Replayed": "true"} if outcome.replayed and outcome.ending else {}
        headers = {"Location": f"/v1/images/{outcome.claim.id}", **replayed}
        if outcome.ending is None:
            return self._running(outcome, call, 202, headers)
        if outcome.ending.error:
            return problem_answer(outcome.ending.error, call.id, call.request.path, headers)
        url = None
        with suppress(StorageUnavailable):  # a paid and stored image is a success, also where no URL can be signed now
            url = self.signed(outcome, call)
        return self._ended(outcome, url, call, headers, as_image=as_image)

    def shown(self, outcome: "Outcome", call: Call, *, as_image: bool) -> Response:
        """Answer a GET of the resource: 200 for every end, good or bad."""
        if outcome.ending is None:
            return self._running(outcome, call, 200, {})
        return self._ended(outcome, self.signed(outcome, call), call, {}, as_image=as_image)

    def content(self, outcome: "Outcome", call: Call) -> Response:
        """Answer a GET of the image itself: 302 to a fresh URL, or why there is none (yet)."""
        ending = outcome.ending
        if ending is None:
            return self._running(outcome, call, 202, {})
        if ending.image is None:
            assert ending.error is not None  # noqa: S101 - an end has one or the other
            return problem_answer(ending.error, call.id)
        with call.watch.step("sign"):
            return Response(status=302, headers={"Location": self._signer.sign(ending.image.name).url})

    def signed(self, outcome: "Outcome", call: Call) -> SignedUrl | None:
        """Return a fresh URL of the image, if there is one. Raises StorageUnavailable."""
        image = outcome.ending.image if outcome.ending else None
        with call.watch.step("sign"):
            return self._signer.sign(image.name) if image else None

    def _running(self, outcome: "Outcome", call: Call, status: int, headers: Mapping[str, str]) -> Response:
        body = resource(outcome, self._bucket, None, call.id)
        return json_answer(body, status, {**headers, "Retry-After": _ASK_AGAIN_SECONDS})

    def _ended(
        self, outcome: "Outcome", url: SignedUrl | None, call: Call, headers: Mapping[str, str], *, as_image: bool
    ) -> Response:
        ending = outcome.ending
        if as_image and ending and ending.image:
            # A paid image is never answered as a failure: where it cannot be read now, the resource says where it is.
            with suppress(StorageUnavailable):
                return self._bytes(ending, ending.image, headers)
        return json_answer(resource(outcome, self._bucket, url, call.id), 200, headers)

    def _bytes(self, ending: Ending, image: StoredImage, headers: Mapping[str, str]) -> Response:
        """Stream the image out of the bucket: however many callers there are, memory holds a chunk for each."""
        pieces = self._jobs.bytes_of(image, Deadline.within(self._clock, _STREAM_SECONDS))
        receipt = ending.segmind
        vendors = {
            "x-request-id": receipt and receipt.request_id,
            "x-generation-time": receipt and receipt.generation_seconds,
            "x-remaining-credits": receipt and receipt.remaining_credits,
        }
        own = {"Content-Location": f"/v1/images/{ending.claim.id}", "Content-Length": str(image.bytes)}
        shown = {name: str(value) for name, value in vendors.items() if value is not None}
        return Response(pieces, content_type=image.content_type, headers={**headers, **own, **shown})


def json_answer(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return JSON, pure ASCII, so that nothing in it can be misread."""
    return Response(json.dumps(value), status, headers, content_type="application/json")


def problem_answer(
    error: ServiceError | Failure, request_id: str, path: str = "", headers: Mapping[str, str] | None = None
) -> Response:
    """Return a problem document with the headers that its status asks for; on Segmind's own paths `error` is in it."""
    kind = BY_CODE[error.code]
    after = {"x-should-retry": "true" if kind.may_pass and error.billed == "no" else "false"}
    if isinstance(error, ServiceError):
        wait = error.retry_after if error.retry_after is not None else error.usual_retry_after
        after |= {} if wait is None else {"Retry-After": str(math.ceil(wait))}
    if isinstance(error, MethodNotAllowed):
        after["Allow"] = ", ".join(error.allow)
    if isinstance(error, Unauthenticated):
        after["WWW-Authenticate"] = "Bearer"
    vendors_own = path == "/v1/runway-gen4-image" or path.startswith("/v2/")  # its clients read `error`
    body = problem(error, request_id) | ({"error": error.detail} if vendors_own else {})
    return Response(
        json.dumps(body), kind.status, {**(headers or {}), **after}, content_type="application/problem+json"
    )


def bug_answer(error: Exception, request_id: str, path: str = "") -> Response:
    """Log an error that no one planned, and answer a problem: no stack trace leaves this process."""
    log.bug(error)
    return problem_answer(Internal("Something went wrong inside this service."), request_id, path)
