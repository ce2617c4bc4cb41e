"""v2: submit, poll, fetch. A job runs and is billed whether or not anybody asks about it again."""

import contextlib
import threading
import time
from collections.abc import Callable
from functools import partial

from mock_segmind import checks
from mock_segmind.account import Account
from mock_segmind.errors import error
from mock_segmind.jobs import QUEUE_SHARE, Job
from mock_segmind.messages import (
    Abandoned,
    JsonObject,
    Refused,
    Reply,
    fingerprint,
    json_reply,
    parsed,
)
from mock_segmind.plan import Hosting
from mock_segmind.references import fetch_all
from mock_segmind.vendor import Exchange, Vendor

NOT_FOUND = "Request ID not found"
FOREIGN = "https://queue.segmind.invalid"


def submit(exchange: Exchange) -> Reply:
    """`POST /v2/runway-gen4-image`: the same checks as v1, then a request id at once."""
    vendor, call = exchange.vendor, exchange.call
    checks.method(call, "POST")
    checks.slug(call)
    account = checks.account(call, vendor.accounts)
    picture, uris = checks.picture(call)
    price = vendor.settings.price
    vendor.accounts.hold(account, price)
    job = Job(
        fingerprint(account.key),
        picture,
        exchange.seconds,
        exchange.plan.job,
        price,
        exchange.entry.request_id,
    )
    vendor.jobs.put(job)
    _start(exchange, account, job, uris)
    return _submitted(exchange, job)


def _start(exchange: Exchange, account: Account, job: Job, uris: list[str]) -> None:
    """Run the job: at once where it takes no time, else in a thread; polls end a job that waits for them."""
    end = partial(_end, exchange, account, job, uris)
    if job.plan.stuck:
        return
    if job.plan.polls:
        job.finish = end
    elif job.seconds > 0:
        threading.Thread(target=_end_later, args=(exchange, job, end), daemon=True).start()
    else:
        end()


def _end_later(exchange: Exchange, job: Job, end: Callable[[], None]) -> None:
    with contextlib.suppress(Abandoned):
        exchange.pause(job.seconds)
        end()


def _end(exchange: Exchange, account: Account, job: Job, uris: list[str]) -> None:
    """Complete the job and bill it, or fail it and give the hold back."""
    try:
        exchange.entry.fetched = fetch_all(uris, exchange.vendor.settings.fetch_references)
    except Refused as refused:
        job.error = _message(refused.reply)
    job.error = job.error or job.plan.failed
    if job.error:
        exchange.vendor.accounts.release(account, job.price)
        job.end("FAILED")
    else:
        job.remaining = exchange.paid(account, job.price)
        job.end("COMPLETED")


def _message(reply: Reply) -> str:
    body = parsed(reply.body)
    return str(body.get("error")) if isinstance(body, dict) else "The model failed"


def _submitted(exchange: Exchange, job: Job) -> Reply:
    marks = exchange.plan.marks
    origin = FOREIGN if "v2-foreign-urls" in marks else exchange.call.origin
    result = f"{origin}/v2/requests/{job.request_id}"
    body: JsonObject = {"request_id": job.request_id, "status": "QUEUED"}
    if "v2-no-id" in marks:
        body.pop("request_id")
    if "v2-no-urls" not in marks:
        body |= {"poll_url": f"{result}/status", "status_url": f"{result}/status", "response_url": result}
    return json_reply(200 if marks & {"v2-submit-200", "v2-no-id"} else 202, body)


def job_of(vendor: Vendor, path: str) -> Job | None:
    """Return the job a path names: a request about a job carries that job's magic prompt."""
    return vendor.jobs.find(path.removeprefix("/v2/requests/").removesuffix("/status"))


def _own_job(exchange: Exchange) -> Job:
    """Return the caller's job, or refuse: 404 where it is somebody else's, unknown or expired."""
    checks.method(exchange.call, "GET", "HEAD")
    account = checks.account(exchange.call, exchange.vendor.accounts)
    job = job_of(exchange.vendor, exchange.call.path)
    gone = job is None or job.owner != fingerprint(account.key) or _expired(exchange, job)
    if job is None or gone or "v2-expired" in exchange.plan.marks:
        raise Refused(error(404, NOT_FOUND))
    return job


def _expired(exchange: Exchange, job: Job) -> bool:
    age = time.monotonic() - job.ended_at if job.ended else 0
    return age > exchange.vendor.settings.job_seconds


def status(exchange: Exchange) -> Reply:
    """`GET /v2/requests/{id}/status`; a failed job is told with 422, as the vendor's SDK expects."""
    job = _own_job(exchange)
    exchange.vendor.jobs.ask(job)
    if job.state == "FAILED":
        return _failed(job)
    return json_reply(200, {"request_id": job.request_id, "status": job.state})


def result(exchange: Exchange) -> Reply:
    """`GET /v2/requests/{id}`: the image's URL and the metrics, or the state while there is none."""
    job = _own_job(exchange)
    if job.state == "FAILED":
        return _failed(job)
    if job.state != "COMPLETED":
        return json_reply(200, {"request_id": job.request_id, "status": job.state})
    return json_reply(200, _completed(exchange, job))


def _failed(job: Job) -> Reply:
    body: JsonObject = {"request_id": job.request_id, "status": "FAILED", "error": job.error}
    return json_reply(job.plan.failed_status, body)


def _completed(exchange: Exchange, job: Job) -> JsonObject:
    """Return the result, less what a fault leaves out."""
    hosting = exchange.plan.hosting
    url = exchange.publish(job.picture, hosting)
    body: JsonObject = {
        "status": "COMPLETED",
        "request_id": job.request_id,
        "output": url,
        "images": [_image(job, hosting, url)],
        "metrics": _metrics(job),
    }
    for name in _left_out(exchange.plan.marks):
        del body[name]
    return body


def _left_out(marks: frozenset[str]) -> list[str]:
    nothing = "v2-nothing" in marks
    out = {
        "metrics": "v2-no-metrics" in marks,
        "output": nothing or "v2-no-output" in marks,
        "images": nothing or "v2-no-images" in marks,
    }
    return [name for name, gone in out.items() if gone]


def _image(job: Job, hosting: Hosting, url: str) -> JsonObject:
    size = len(job.picture.encoded(hosting.kind))
    name = url.rpartition("/")[2]
    return {"url": url, "content_type": f"image/{hosting.kind}", "file_name": name, "file_size": size}


def _metrics(job: Job) -> JsonObject:
    total = round(job.ended_at - job.submitted, 3)
    queued = round(job.seconds * QUEUE_SHARE, 3)
    return {
        "cost": float(job.price),
        "remaining_credits": float(job.remaining),
        "inference_time": round(total - queued, 3),
        "queue_time": queued,
        "total_time": total,
    }
