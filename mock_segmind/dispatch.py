"""One request from arrival to answer: write it down, plan it, play it, write down the end, then send."""

from collections.abc import Callable
from functools import partial
from typing import Final, TypeAlias

from werkzeug import Request, Response

from mock_segmind import admin, hosting, v1, v2
from mock_segmind.errors import bad_request
from mock_segmind.faults import UnknownFault
from mock_segmind.messages import (
    GENERATING,
    Abandoned,
    Call,
    Operation,
    Refused,
    Reply,
    parsed,
    prompt_in,
)
from mock_segmind.plan import Plan
from mock_segmind.scripts import planned
from mock_segmind.server import PAUSE, TRANSPORT
from mock_segmind.vendor import Exchange, Vendor
from mock_segmind.wire import client_has_gone, dropped

Endpoint: TypeAlias = Callable[[Exchange], Reply]
Handler: TypeAlias = Callable[[Request], Response]
ROUTES: Final[tuple[tuple[str, Operation, Endpoint], ...]] = (
    (r"/v1/get-user-credits", "credits", v1.user_credits),
    (r"/v1/[^/]+", "v1", v1.generate),
    (r"/v2/requests/[^/]+/status", "v2-status", v2.status),
    (r"/v2/requests/[^/]+", "v2-result", v2.result),
    (r"/v2/[^/]+", "v2-submit", v2.submit),
    (r"/upload-asset", "upload", hosting.upload),
    (r"/hosted/.+", "hosted", hosting.fetch),
)


def routes(vendor: Vendor) -> dict[str, Handler]:
    """Return what answers each path, by pattern; the first that matches wins."""
    own: dict[str, Handler] = {
        pattern: partial(_serve, vendor, operation, endpoint) for pattern, operation, endpoint in ROUTES
    }
    return own | {path: partial(admin.serve, vendor, route) for path, route in admin.ROUTES.items()}


def _serve(vendor: Vendor, operation: Operation, endpoint: Endpoint, request: Request) -> Response:
    pause = vendor.pauses.now()
    call = _call(vendor, operation, request)
    exchange = Exchange(vendor, call, vendor.ledger.open(call), pause)
    request.environ[PAUSE] = pause
    reply: Reply | None = None
    try:
        reply = _played(exchange, endpoint)
    except Abandoned:
        request.environ[TRANSPORT] = dropped
        return Response()
    finally:
        _close(exchange, request, reply)
    request.environ[TRANSPORT] = exchange.plan.transport
    return _response(reply)


def _call(vendor: Vendor, operation: Operation, request: Request) -> Call:
    headers = {name.lower(): value for name, value in request.headers.items()}
    prompt = _prompt(vendor, operation, request)
    origin = request.host_url.rstrip("/")
    return Call(operation, request.method, request.path, headers, request.get_data(), origin, prompt)


def _prompt(vendor: Vendor, operation: Operation, request: Request) -> str:
    """Return the prompt behind a request: its own, or that of the job or image it asks for."""
    if operation in GENERATING:
        return prompt_in(parsed(request.get_data()))
    if operation == "hosted":
        asset = hosting.asset_of(vendor, request.path)
        return asset.picture.prompt if asset and asset.picture else ""
    job = v2.job_of(vendor, request.path)
    return job.picture.prompt if job else ""


def _played(exchange: Exchange, endpoint: Endpoint) -> Reply:
    """Return the reply, faults included. Raises Abandoned where the fake was cleared meanwhile."""
    try:
        exchange.plan = _plan(exchange)
        reply = _generated(exchange, endpoint) if exchange.plan.generates else _not_generated(exchange)
    except Refused as refused:
        reply = refused.reply
    reply = reply.with_headers({"x-request-id": exchange.entry.request_id})
    for edit in exchange.plan.edits:
        reply = edit(reply)
    return reply


def _plan(exchange: Exchange) -> Plan:
    try:
        faults = exchange.vendor.faults.fire(exchange.call)
    except UnknownFault as unknown:
        raise Refused(bad_request(str(unknown))) from unknown
    exchange.entry.faults = tuple(map(str, faults))
    return planned(faults)


def _generated(exchange: Exchange, endpoint: Endpoint) -> Reply:
    """Let the endpoint do its work; a refusal that is nevertheless billed hides what it answered."""
    if exchange.call.operation not in GENERATING:
        exchange.pause(exchange.plan.delay or 0)
    reply = endpoint(exchange)
    return exchange.plan.refusal() if exchange.plan.refusal else reply


def _not_generated(exchange: Exchange) -> Reply:
    exchange.pause(exchange.plan.delay or 0)
    return exchange.plan.refusal() if exchange.plan.refusal else Reply(200)


def _close(exchange: Exchange, request: Request, reply: Reply | None) -> None:
    gone = client_has_gone(request.environ["werkzeug.socket"])
    status = reply.status if reply and not exchange.plan.silent else None
    exchange.vendor.ledger.close(exchange.entry, status, client_gone=gone)


def _response(reply: Reply) -> Response:
    """Return the reply for werkzeug, without the Content-Type it would invent."""
    response = Response(reply.body, reply.status)
    del response.headers["Content-Type"]
    response.headers.extend(reply.headers)
    return response
