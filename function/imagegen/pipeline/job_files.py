"""Is this finalized object ours, and what does it ask for? A chain of early returns decides."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from imagegen.errors import InvalidRequest
from imagegen.failure import Problem
from imagegen.model import ImageRequest, Order, Reference
from imagegen.pipeline.claims import ID_LENGTH, derived_id, image_id
from imagegen.references import rules, validation
from imagegen.references.rules import Rules

JOBS = "jobs/"
_DEFAULT_TAG = "image"
_ADDRESSING = ("idempotencyKey", "owner", "id", "ticket")  # what a job file has on top of an HTTP request


@dataclass(frozen=True, slots=True)
class Upload:
    """An object that was finalized in the uploads bucket."""

    bucket: str
    name: str
    generation: int
    size: int
    content_type: str
    metadata: Mapping[str, str]
    at: datetime

    @property
    def own_id(self) -> str:
        """The id of the image that this upload asks for, the same for every delivery of its event."""
        return derived_id("upload", self.bucket, self.name, str(self.generation))


def is_job(upload: Upload) -> bool:
    """Tell whether the object is a job file."""
    return upload.name.startswith(JOBS) and upload.name.endswith(".json")


def is_photo(upload: Upload) -> bool:
    """Tell whether the object is an image that asks to be worked on. References are never: they are our own input."""
    if upload.name.startswith(rules.FOLDER):
        return False
    if not upload.content_type.startswith("image/"):
        return False
    return "prompt" in upload.metadata


def job_name(image_id: str) -> str:
    """Return where the service queues the job of an image."""
    return f"{JOBS}{image_id}.json"


def id_in_name(upload: Upload) -> str | None:
    """Return the id of a job that the service queued, which is its name; None for a caller's own file."""
    stem = upload.name.removeprefix(JOBS).removesuffix(".json")
    return stem if re.fullmatch(rf"[a-z2-7]{{{ID_LENGTH}}}", stem) and upload.name == job_name(stem) else None


def known_id(upload: Upload) -> str | None:
    """Return the id of what an upload asks for where that is known before it is read: not for a stranger's job file."""
    return upload.own_id if is_photo(upload) else id_in_name(upload)


def job_body(order: Order, image_id: str) -> dict[str, object]:
    """Return what the service writes there. The id is believed only under its own name.

    The ticket makes the bytes those of this one try, as a claim's token does: see `Objects.create`.
    """
    key = {} if order.key is None else {"idempotencyKey": order.key}
    return {**order.request.body(), **key, "owner": order.owner, "id": image_id, "ticket": secrets.token_hex(8)}


def order_of_job(upload: Upload, body: bytes) -> Order:
    """Return what a job file orders. Raises InvalidRequest with every problem."""
    value = validation.decode(body)
    fields = {n: value[n] for n in _ADDRESSING if n in value} if isinstance(value, dict) else {}
    problems = (*_problems_of(fields), *validation.flaws(value))
    rest = {n: v for n, v in value.items() if n not in fields} if isinstance(value, dict) else value
    texts = {n: v for n, v in fields.items() if isinstance(v, str)}
    owner, key = texts.get("owner", ""), texts.get("idempotencyKey")
    try:
        request = validation.check(rest, Rules(upload.bucket, owner))
    except InvalidRequest as error:
        raise InvalidRequest(tuple(dict.fromkeys((*problems, *error.problems)))) from None
    if problems:
        raise InvalidRequest(problems)
    named = id_in_name(upload)
    if named is None or texts.get("id") != named:
        named = upload.own_id if key is None else image_id(owner, key)
    return Order(request, "event", owner, key, named)


def order_of_photo(upload: Upload) -> Order:
    """Return what an image with metadata orders. Raises InvalidRequest with every problem."""
    tag = upload.metadata.get("tag", _DEFAULT_TAG)
    value: dict[str, object] = {
        "promptText": upload.metadata["prompt"],
        "referenceImages": [{"tag": tag}],
        **({"ratio": upload.metadata["ratio"]} if "ratio" in upload.metadata else {}),
    }
    request = validation.check(value)
    photo = Reference(tag, f"gs://{upload.bucket}/{upload.name}")
    return Order(ImageRequest(request.prompt, (photo,), request.ratio), "event", image_id=upload.own_id)


def _problems_of(fields: Mapping[str, object]) -> list[Problem]:
    wrong = [Problem(f"/{name}", "must be a string") for name, v in fields.items() if not isinstance(v, str)]
    key = fields.get("idempotencyKey")
    if isinstance(key, str) and not re.fullmatch("[!-~]{1,255}", key):
        wrong.append(Problem("/idempotencyKey", "must be 1 to 255 visible ASCII characters"))
    return wrong
