"""Queued jobs: files in the uploads bucket, whose finalize events run them.

The marker comes first, in the results bucket, with the whole job in it: from then on a key belongs to its queued
request, and the sweep runs a job whose event never comes.
"""

import json
from dataclasses import dataclass, replace

from imagegen.errors import InvalidRequest, StorageUnavailable
from imagegen.model import Claim, Marker, Order
from imagegen.pipeline.claims import new_claim
from imagegen.pipeline.job_files import Upload, job_body, job_name, order_of_job
from imagegen.pipeline.job_objects import JobObjects
from imagegen.ports import Clock, Deadline, Objects

_SECONDS = 5.0  # to find out what became of a write that seemed to fail


@dataclass(frozen=True, slots=True)
class JobQueue:
    """Writes and finds queued jobs. A job is written once, so a repeated order is queued once."""

    jobs: JobObjects
    uploads: Objects
    bucket: str
    clock: Clock

    def put(self, order: Order, claim: Claim, deadline: Deadline) -> tuple[Claim, bool] | None:
        """Queue a job; return it as the claim that it will become, and whether it was queued before.

        None where another request with this key is just being claimed. Raises StorageUnavailable where nothing was
        queued: once the marker stands, a job file whose write may have happened is queued all the same.
        """
        job = job_body(order, claim.id)
        ours = self._mark(claim, Marker.of(claim, job), deadline)
        found = claim if ours else self.find(claim.id, deadline)
        if found is not None and found.fingerprint == claim.fingerprint:
            self._write_or_withdraw(claim, job, deadline)
        return None if found is None else (found, not ours)

    def _mark(self, claim: Claim, marker: Marker, deadline: Deadline) -> bool:
        """Write the marker; False where there is one. One that seemed to fail is found, or kept from landing later."""
        try:
            return self.jobs.mark_open(claim.id, marker, deadline) is not None
        except StorageUnavailable as error:
            again = Deadline.within(self.clock, _SECONDS)
            if error.refused or self.jobs.mark_open(claim.id, replace(marker, job=None), again) is not None:
                raise  # a marker without a job is in its way now: nothing was queued, and nothing will be
            return self.jobs.own_marker(claim, again) is not None

    def _write_or_withdraw(self, claim: Claim, job: dict[str, object], deadline: Deadline) -> None:
        """Write the job file. One that was refused for certain takes our marker with it; any other may be there.

        So may that of an equal request, which was told that the job is queued: it hangs on the same marker.
        """
        name = job_name(claim.id)
        try:
            self.uploads.create(name, json.dumps(job).encode(), "application/json", deadline)
        except StorageUnavailable as error:
            own = self.jobs.own_marker(claim, deadline) if error.refused else None
            if own is not None and self.uploads.stat(name, deadline) is None:
                self.jobs.unmark(claim.id, own, deadline)
                raise

    def find(self, image_id: str, deadline: Deadline) -> Claim | None:
        """Return a queued job, in the shape of the claim that it will become."""
        marker = self.jobs.marker(image_id, deadline)
        order = self.order(image_id, marker) if marker else None
        if marker is None or order is None:
            return None
        return replace(new_claim(order, marker.created_at, 0.0), id=image_id, token=marker.token)

    def order(self, image_id: str, marker: Marker) -> Order | None:
        """Return what a queued job orders; None for the marker of a job that was not queued."""
        if marker.job is None:
            return None
        body = json.dumps(marker.job).encode()
        upload = Upload(self.bucket, job_name(image_id), 0, len(body), "", {}, marker.created_at)
        try:
            return order_of_job(upload, body)
        except InvalidRequest:
            return None

    def remove(self, image_id: str, staged: tuple[str, ...], deadline: Deadline) -> None:
        """Delete the job file and inline images that were staged for it, all their generations."""
        for name in (job_name(image_id), *staged):
            for info in self.uploads.list(name, deadline, versions=True):
                self.uploads.delete(info.name, info.generation, deadline)
