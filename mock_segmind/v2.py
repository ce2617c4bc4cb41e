"""v2: submit, poll, fetch. A job runs and is billed whether or not a client asks about it again."""

import contextlib
import threading
from collections.abc import Callable
from functools import partial

from mock_segmind import checks
from mock_segmind.replies import JsonObject, Refused, Reply, json_reply, refused
from mock_segmind.transport import Abandoned
from mock_segmind.vendor import QUEUE_SHARE, Exchange, Generation, Vendor


def submit(exchange: Exchange) -> Reply:
    """`POST /v2/runway-gen4-image`: the same checks as v1, then a request id at once."""
    account, picture, uris = checks.generation(exchange.call, exchange.vendor.accounts)
    job = exchange.begin(account, picture)
    _run(exchange, job, partial(_end, exchange, job, uris))
    result = f"{exchange.call.origin}/v2/requests/{job.request_id}"
    urls: JsonObject = {"poll_url": f"{result}/status", "status_url": f"{result}/status", "response_url": result}
    return json_reply(202, {"request_id": job.request_id, "status": "QUEUED", **urls})


def _run(exchange: Exchange, job: Generation, end: Callable[[], None]) -> None:
    """Let a job come to its end: with a poll, never, at once where it takes no time, else in a thread."""
    if exchange.behaviour.polls is not None:
        job.finish = end
    elif not exchange.behaviour.stuck and job.seconds > 0:
        threading.Thread(target=_end_later, args=(exchange, job, end), daemon=True).start()
    elif not exchange.behaviour.stuck:
        end()


def _end_later(exchange: Exchange, job: Generation, end: Callable[[], None]) -> None:
    with contextlib.suppress(Abandoned):
        exchange.pause(job.seconds)
        end()


def _end(exchange: Exchange, job: Generation, uris: list[str]) -> None:
    with contextlib.suppress(Refused):  # the job has failed, which its result tells
        exchange.fetch(job, uris)
        exchange.end(job)


def job_of(vendor: Vendor, path: str) -> Generation | None:
    """Return the job a path names: a request about a job carries that job's magic prompt."""
    job = vendor.generations.get(path.removeprefix("/v2/requests/").removesuffix("/status"))
    return job if job and job.entry.kind == "v2-submit" else None


def _own_job(exchange: Exchange) -> Generation:
    """Return the caller's job, or refuse: 404 where it is another account's, unknown or expired."""
    checks.method(exchange.call, "GET", "HEAD")
    account = checks.account(exchange.call, exchange.vendor.accounts)
    job = job_of(exchange.vendor, exchange.call.path)
    if job is None or job.account.key != account.key or _expired(exchange.vendor, job):
        raise refused(404, "Request ID not found")
    return job


def _expired(vendor: Vendor, job: Generation) -> bool:
    return job.ended is not None and vendor.clock.now() - job.ended > vendor.settings.job_seconds


def status(exchange: Exchange) -> Reply:
    """`GET /v2/requests/{id}/status`; a failed job is told with 422, as the vendor's SDK expects."""
    job = _own_job(exchange)
    with exchange.vendor.lock:
        finish = job.poll()
    if finish:
        finish()
    return _state(exchange.vendor, job)


def result(exchange: Exchange) -> Reply:
    """`GET /v2/requests/{id}`: the image's URL and the metrics, or the state while there is none."""
    job = _own_job(exchange)
    if job.ended is None or job.error:
        return _state(exchange.vendor, job)
    hosting = exchange.behaviour.hosting
    url = exchange.publish(job.picture, hosting)
    size = len(job.picture.encoded(hosting.kind))
    name = url.rpartition("/")[2]
    image: JsonObject = {"url": url, "content_type": f"image/{hosting.kind}", "file_name": name, "file_size": size}
    told: JsonObject = {"status": "COMPLETED", "request_id": job.request_id, "output": url}
    return json_reply(200, {**told, "images": [image], "metrics": _metrics(job, job.ended)})


def _state(vendor: Vendor, job: Generation) -> Reply:
    told: JsonObject = {"request_id": job.request_id, "status": job.state(vendor.clock.now())}
    if job.error is None:
        return json_reply(200, told)
    return json_reply(job.behaviour.job_status, {**told, "error": job.error})


def _metrics(job: Generation, ended: float) -> JsonObject:
    total, queued = round(ended - job.started, 3), round(job.seconds * QUEUE_SHARE, 3)
    return {
        "cost": float(job.price),
        "remaining_credits": float(job.remaining),
        "inference_time": round(total - queued, 3),
        "queue_time": queued,
        "total_time": total,
    }
