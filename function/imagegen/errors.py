"""Every way in which a request can end badly.

    ServiceError
    ├── the caller's own: InvalidRequest 400, Unauthenticated 401, Forbidden 403, NotFound 404, MethodNotAllowed 405,
    │       DeletedTooEarly 409, ImageDeleted 410, TooLarge 413, UnsupportedMediaType 415, IdempotencyKeyReused 422
    ├── Internal                  500  our own bug
    ├── DailyLimitReached         429  frees the key
    ├── StorageUnavailable        503  frees the key
    ├── ImageNotStored            503  billed: the answer carries the image
    └── SegmindError
        ├── RejectedBySegmind     400  kept: the same request would be refused again
        ├── SegmindUnauthorized   502  frees the key
        ├── SegmindForbidden      502  frees the key
        ├── SegmindModelNotFound  502  frees the key
        ├── InsufficientCredits   503  frees the key
        ├── SegmindRateLimited    429  frees the key, repeated until the deadline
        ├── SegmindFailed         502  frees the key, repeated once if it was a 503
        ├── SegmindUnavailable    502  frees the key, repeated twice
        ├── SegmindUnreachable    502  frees the key, repeated twice
        ├── SegmindTimeout        504  may have been billed: never repeated
        ├── OutcomeUnknown        504  may have been billed: never repeated
        └── SegmindBadImage       502  billed: never repeated

Each class is one row: all that is known of a failure stands in its attributes (`failure.py` explains them), and nowhere
else. The answers, the repeat policy, the pages under /problems and OpenAPI read them; docs/contract.md is held to them.
"""

from typing import ClassVar

from imagegen.failure import UNTIL_THE_DEADLINE, Problem, Repeats, ServiceError, rows
from imagegen.model import Billed, Picture

_TOLD = 3  # problems in a detail; `errors` lists them all


class InvalidRequest(ServiceError):
    """Carries every problem of the request at once."""

    code, status, title = "invalid-request", 400, "The request is not valid"
    cause = "not JSON, a wrong type, missing, out of range, an unknown field, a URI that may not be used"
    action = "Correct what `errors` lists. Nothing was spent."
    frees_key = True  # where it comes late: a reference that is not there yet may be uploaded

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        told = [f"{p.pointer or 'body'}: {p.detail}" for p in problems[:_TOLD]]
        more = [f"and {len(problems) - _TOLD} more"] if len(problems) > _TOLD else []
        super().__init__("; ".join(told + more))
        self.problems = problems


class Unauthenticated(ServiceError):
    code, status, title = "unauthenticated", 401, "No valid credentials"
    cause = "no or bad credentials"
    action = "Send credentials that this service accepts."


class Forbidden(ServiceError):
    code, status, title = "forbidden", 403, "Not allowed"
    cause = "the credentials are good, and not allowed to do this"
    action = "Ask the operator for access."


class NotFound(ServiceError):
    code, status, title = "not-found", 404, "Nothing here"
    cause = "unknown route, or no image of yours"
    action = "Check the path and the id; GET / lists the routes."


class MethodNotAllowed(ServiceError):
    code, status, title = "method-not-allowed", 405, "This route does not take that method"
    cause = "the route takes other methods"
    action = "Use a method that `Allow` lists."

    def __init__(self, allow: tuple[str, ...]) -> None:
        super().__init__(f"Allowed here: {', '.join(allow)}.")
        self.allow = allow


class TooLarge(ServiceError):
    code, status, title = "too-large", 413, "The request body is larger than 16 MiB"
    cause = "the body is larger than 16 MiB"
    action = "Send references as https:// URIs, or smaller ones."


class UnsupportedMediaType(ServiceError):
    code, status, title = "unsupported-media-type", 415, "The request body has to be JSON"
    cause = "the body is not JSON by its Content-Type, or is encoded"
    action = "Send Content-Type: application/json, without Content-Encoding."


class IdempotencyKeyReused(ServiceError):
    code, status, title = "idempotency-key-reused", 422, "This Idempotency-Key belongs to another request"
    cause = "the key belongs to another request"
    action = "Use a new key for a new request."


class ImageDeleted(ServiceError):
    code, status, title = "image-deleted", 410, "This image was deleted"
    cause = "its caller deleted it; its key is never billed again"
    action = "Use a new Idempotency-Key for a new image."


class DeletedTooEarly(ServiceError):
    code, status, title = "still-generating", 409, "The image is still being generated"
    cause = "it was to be deleted before it ended"
    action = "Delete it when it has ended."


class Internal(ServiceError):
    code, status, title = "internal", 500, "A bug in this service"
    cause = "a bug in this service"
    action = "Report the requestId. Repeat only with the same Idempotency-Key."
    billed: ClassVar[Billed] = "maybe"


class DailyLimitReached(ServiceError):
    code, status, title = "daily-limit-reached", 429, "Today's limit of images is used up"
    cause = "the day's cap is reached; Retry-After says when midnight UTC is"
    action = "Try again after midnight UTC, or raise the limit."
    frees_key = may_pass = True


class StorageUnavailable(ServiceError):
    code, status, title = "storage-unavailable", 503, "The storage bucket cannot be used at the moment"
    cause = "storage cannot be used; nothing was spent"
    action = "Try again. If it lasts, check the bucket and the service account's roles on it."
    usual_retry_after = 5
    frees_key = may_pass = True
    refused = False  # storage said no: the write certainly did not happen


class ImageNotStored(ServiceError):
    """A paid image that storage would not take; `picture` is the only copy and goes to the caller."""

    code, status = "image-not-stored", 503
    title = "The image was generated and paid for, but could not be stored"
    cause = "storage fails after a paid call, all retries done; the answer carries the image"
    action = "Save image.dataUri from the first answer: it is the only copy. Do not order the image again."
    billed: ClassVar[Billed] = "yes"

    def __init__(self, picture: Picture) -> None:
        super().__init__("Storage refused the image until the deadline. It comes with this answer, and nowhere else.")
        self.picture = picture


class SegmindError(ServiceError):
    """Something that Segmind said, or failed to say."""

    upstream_status: int | None = None
    upstream_state: str | None = None  # what v2 calls a generation's state, where an error's body names it


class RejectedBySegmind(SegmindError):
    code, status, title = "rejected-by-segmind", 400, "Segmind refused this request"
    cause = "Segmind or the model refused the request: moderation, a tag, an unreachable reference"
    action = "Change the prompt, the references or the ratio. Nothing was billed."


class SegmindUnauthorized(SegmindError):
    code, status, title = "segmind-unauthorized", 502, "Segmind does not accept this service's API key"
    cause = "Segmind said 401: this service's key is not accepted"
    action = "Operator: rotate SEGMIND_API_KEY. Nothing was billed."
    frees_key = may_pass = True


class SegmindForbidden(SegmindError):
    code, status, title = "segmind-forbidden", 502, "Segmind forbids this service's account the call"
    cause = "Segmind said 403"
    action = "Operator: check the Segmind account and its plan. Nothing was billed."
    frees_key = may_pass = True


class SegmindModelNotFound(SegmindError):
    code, status, title = "segmind-model-not-found", 502, "Segmind does not know this model any more"
    cause = "Segmind said 404 or 410"
    action = "Operator: check SEGMIND_BASE_URL and whether the model was retired. Nothing was billed."
    frees_key = may_pass = True


class InsufficientCredits(SegmindError):
    code, status, title = "insufficient-credits", 503, "This service's Segmind account is out of credits"
    cause = "Segmind said 406: credits or a spend limit"
    action = "Operator: top up the Segmind account. Nothing was billed."
    usual_retry_after = 300
    frees_key = may_pass = True


class SegmindRateLimited(SegmindError):
    code, status, title = "segmind-rate-limited", 429, "Segmind limits the rate of calls"
    cause = "Segmind said 429 until the deadline"
    action = "Try again after Retry-After. Nothing was billed."
    usual_retry_after = 30
    repeats = Repeats(UNTIL_THE_DEADLINE, 2.0, 20.0, (0.5, 1.0))
    frees_key = may_pass = True


class SegmindFailed(SegmindError):
    code, status, title = "segmind-failed", 502, "Segmind failed to generate the image"
    cause = "Segmind said 500, or 503 twice"
    action = "Try again. Nothing was billed."
    repeats = Repeats(1, only_after=503)
    frees_key = may_pass = True


class SegmindUnavailable(SegmindError):
    code, status, title = "segmind-unavailable", 502, "Segmind's gateway is unavailable"
    cause = "Segmind said 502 three times"
    action = "Try again. Nothing was billed."
    usual_retry_after = 5
    repeats = Repeats(2)
    frees_key = may_pass = True


class SegmindUnreachable(SegmindError):
    code, status, title = "segmind-unreachable", 502, "Segmind cannot be reached"
    cause = "no connection to Segmind, three times"
    action = "Try again. Nothing was sent, so nothing was billed."
    repeats = Repeats(2)
    frees_key = may_pass = True


class SegmindTimeout(SegmindError):
    code, status, title = "segmind-timeout", 504, "Segmind's gateway gave up waiting for the image"
    cause = "Segmind said 504: it may have been billed"
    action = "It may have been billed, so it was not repeated. A new Idempotency-Key buys a new image."
    billed: ClassVar[Billed] = "maybe"


class OutcomeUnknown(SegmindError):
    code, status, title = "outcome-unknown", 504, "Whether the image was generated cannot be known"
    cause = "the request was sent, and no whole answer came: it may have been billed"
    action = "It may have been billed, so it was not repeated. A new Idempotency-Key buys a new image."
    billed: ClassVar[Billed] = "maybe"


class SegmindBadImage(SegmindError):
    """Carries the start of what came, kept to dispute the bill."""

    code, status, title = "segmind-bad-image", 502, "Segmind answered 200, but not with a whole image"
    cause = "Segmind said 200 and sent no whole image: it was billed"
    action = "It was billed. Operator: jobs/ID/rejected in the results bucket holds what came; dispute the bill."
    billed: ClassVar[Billed] = "yes"

    def __init__(self, detail: str, rejected: bytes = b"") -> None:
        super().__init__(detail)
        self.rejected = rejected


BY_CODE = rows(ServiceError)
