"""What callers see: the image resource and the problem document (RFC 9457). Pure."""

import base64
from typing import TYPE_CHECKING

from imagegen.errors import BY_CODE, ImageNotStored, InvalidRequest
from imagegen.failure import ServiceError
from imagegen.model import Ending, Failure, Picture, Receipt, SignedUrl, StoredImage, time_text

if TYPE_CHECKING:
    from imagegen.pipeline.claiming import Outcome

Json = dict[str, object]


def resource(outcome: "Outcome", bucket: str, url: SignedUrl | None, request_id: str) -> Json:
    """Return the image resource. A stored image without a URL (nothing could be signed) has nulls in its place."""
    claim, ending = outcome.claim, outcome.ending
    shown: Json = {
        "id": claim.id,
        "status": ending.status if ending else "queued" if outcome.queued else "running",
        "createdAt": time_text(claim.created_at),
        "request": {
            "promptText": claim.request.prompt,
            "ratio": claim.request.ratio,
            "referenceImages": [{"tag": tag} for tag in claim.request.tags],
        },
    }
    return shown | (_end(ending, bucket, url, request_id) if ending else {})


def problem(error: ServiceError | Failure, request_id: str) -> Json:
    """Return an error, raised or written down earlier, as a problem: what happened, what it cost, what to do."""
    kind = BY_CODE[error.code]
    shown: Json = {
        "type": f"/problems/{error.code}",
        "title": kind.title,
        "status": kind.status,
        "detail": error.detail,
        "code": error.code,
        "requestId": request_id,
        "billed": error.billed,
        "action": kind.action,
    }
    if isinstance(error, InvalidRequest):
        shown["errors"] = [{"pointer": p.pointer, "detail": p.detail} for p in error.problems]
    if isinstance(error, ImageNotStored):
        uri = f"data:{error.picture.content_type};base64,{base64.b64encode(error.picture.data).decode()}"
        shown["image"] = {"dataUri": uri} | _facts(error.picture, len(error.picture.data))
    return shown


def _end(ending: Ending, bucket: str, url: SignedUrl | None, request_id: str) -> Json:
    shown: Json = {"completedAt": time_text(ending.completed_at)}
    if ending.image:
        links: Json = {
            "url": url.url if url else None,
            "urlExpiresAt": time_text(url.expires_at) if url else None,
            "gsUri": f"gs://{bucket}/{ending.image.name}",
        }
        shown["image"] = links | _facts(ending.image, ending.image.bytes)
    if ending.segmind:
        shown["segmind"] = _receipt(ending.segmind)
    if ending.error:
        shown["error"] = problem(ending.error, request_id)
    return shown


def _facts(image: StoredImage | Picture, size: int) -> Json:
    return {
        "contentType": image.content_type,
        "bytes": size,
        "sha256": image.sha256,
        "width": image.width,
        "height": image.height,
    }


def _receipt(receipt: Receipt) -> Json:
    return {
        "requestId": receipt.request_id,
        "costUsd": receipt.cost_usd,
        "remainingCredits": receipt.remaining_credits,
        "generationSeconds": receipt.generation_seconds,
    }
