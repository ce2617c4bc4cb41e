"""Queued jobs: files in the uploads bucket, whose finalize events run them. The bucket is the queue."""

import json
from dataclasses import replace

from imagegen.errors import InvalidRequest
from imagegen.model import Claim, Order
from imagegen.pipeline.claims import new_claim
from imagegen.pipeline.job_files import Upload, job_body, job_name, order_of_job
from imagegen.ports import Clock, Deadline, Objects


class JobQueue:
    """Writes and finds queued jobs. A job is written once, so a repeated order is queued once."""

    def __init__(self, uploads: Objects, bucket: str, clock: Clock) -> None:
        self._uploads, self._bucket, self._clock = uploads, bucket, clock

    def put(self, order: Order, image_id: str, deadline: Deadline) -> bool:
        """Queue a job; False where one with this id is queued already. Raises StorageUnavailable: nothing is queued."""
        body = json.dumps(job_body(order, image_id)).encode()
        return self._uploads.create(job_name(image_id), body, "application/json", deadline) is not None

    def find(self, image_id: str, deadline: Deadline) -> Claim | None:
        """Return a queued job, in the shape of the claim that it will become."""
        info = self._uploads.stat(job_name(image_id), deadline)
        if info is None:
            return None
        body = self._uploads.read(info.name, deadline, info.generation)
        if body is None:
            return None
        upload = Upload(self._bucket, info.name, info.generation, info.size, "", {}, info.created_at)
        try:
            order = order_of_job(upload, body)
        except InvalidRequest:
            return None
        return replace(new_claim(order, info.created_at, 0.0), id=image_id, token="")
