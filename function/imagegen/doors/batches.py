"""A scheduled call → jobs. Each image of a batch has a key of its own, so a call that comes twice queues it once."""

import re
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace

from imagegen import log
from imagegen.errors import InvalidRequest
from imagegen.failure import Problem
from imagegen.model import ImageRequest, Order
from imagegen.pipeline.claiming import Outcome
from imagegen.pipeline.service import ImageService
from imagegen.ports import Deadline, Staging
from imagegen.references import validation
from imagegen.references.rules import Rules

_WRITERS = 32  # a write takes tens of milliseconds: 1,000 images are queued in a few seconds
_FIELDS = {"name", "images"}


@dataclass(frozen=True, slots=True)
class Batch:
    """What a scheduled call asks for."""

    name: str
    images: tuple[ImageRequest, ...]


def parse(body: bytes, rules: Rules) -> Batch:
    """Return the batch in a scheduled call's body. Raises InvalidRequest with every problem of every image."""
    value = validation.decode(body, validation.MAX_BATCH_MEMBERS)
    if not isinstance(value, dict):
        raise InvalidRequest((Problem("", "must be a JSON object"),))
    problems = [Problem(f"/{name}", "is not a known field") for name in value if name not in _FIELDS]
    name, entries = value.get("name"), value.get("images")
    if not isinstance(name, str) or not re.fullmatch(r"[!-~]{1,100}", name):
        problems.append(Problem("/name", "must be 1 to 100 visible ASCII characters"))
    if not isinstance(entries, list) or not entries:
        problems.append(Problem("/images", "must be an array with at least one request"))
    images = []
    for i, entry in enumerate(entries if isinstance(entries, list) else []):
        try:
            images.append(validation.check(entry, rules))
        except InvalidRequest as error:
            problems += [Problem(f"/images/{i}{p.pointer}", p.detail) for p in error.problems]
    if problems:
        raise InvalidRequest(tuple(problems[: validation.MAX_PROBLEMS]))
    return Batch(str(name), tuple(images))


def stage(batch: Batch, staging: Staging, deadline: Deadline) -> Batch:
    """Return the batch with its inline images in the uploads bucket. Raises StorageUnavailable."""
    if not any(r.inline for request in batch.images for r in request.references):
        return batch
    with ThreadPoolExecutor(_WRITERS, initializer=log.carrier()) as writers:
        return replace(batch, images=tuple(writers.map(lambda request: staging.stage(request, deadline), batch.images)))


def queue(
    batch: Batch, planned: str, service: ImageService, workers: Callable[..., Executor] = ThreadPoolExecutor
) -> list[Outcome]:
    """Queue every image of a batch, in its order. A call that is repeated, or was cut short, queues what is missing."""
    orders = [Order(image, "schedule", key=f"{batch.name}/{planned}/{i}") for i, image in enumerate(batch.images)]
    with workers(_WRITERS, initializer=log.carrier()) as writers:
        return list(writers.map(service.accept, orders))
