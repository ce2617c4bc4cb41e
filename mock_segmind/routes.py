"""The vendor's routes, and each request from arrival to answer: note it, find its faults, play it, note the end."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final, TypeAlias

from mock_segmind import history, hosting, v1, v2
from mock_segmind.calls import GENERATING, Call, Operation, prompt_in
from mock_segmind.faults import UnknownFault
from mock_segmind.faults.behaviour import Behaviour
from mock_segmind.faults.fault import combined
from mock_segmind.replies import Refused, Reply, bad_request, parsed
from mock_segmind.transport import Abandoned, Response, client_has_gone, dropped
from mock_segmind.vendor import Exchange, Vendor

Endpoint: TypeAlias = Callable[[Exchange], Reply]
ROUTES: Final[tuple[tuple[str, Operation, Endpoint], ...]] = (
    (r"/v1/get-user-credits", "credits", v1.user_credits),
    (r"/v1/[^/]+", "v1", v1.generate),
    (r"/v2/requests/[^/]+/status", "v2-status", v2.status),
    (r"/v2/requests/[^/]+", "v2-result", v2.result),
    (r"/v2/[^/]+", "v2-submit", v2.submit),
    (r"/upload-asset", "upload", hosting.upload),
    (r"/hosted/.+", "hosted", hosting.fetch),
    (r"/inference-request/request-history", "history", history.listing),
    (r"/inference-request/request-history/[^/]+", "history-row", history.row),
    (r"/inference-request/generations", "generations", history.generations),
)


def answered(vendor: Vendor, call: Call) -> Response | None:
    """Return the vendor's answer, or None for a path that it does not have. The first pattern that matches wins."""
    for pattern, operation, endpoint in ROUTES:
        if re.fullmatch(pattern, call.path):
            prompt = _prompt(vendor, operation, call)
            return _played(vendor, replace(call, operation=operation, prompt=prompt), endpoint)
    return None


def _prompt(vendor: Vendor, operation: Operation, call: Call) -> str:
    """Return the prompt behind a request: its own, or that of the job or image it asks for."""
    if operation in GENERATING:
        return prompt_in(parsed(call.raw))
    found = hosting.asset_of(vendor, call.path) or v2.job_of(vendor, call.path)
    return found.picture.prompt if found and found.picture else ""


def _played(vendor: Vendor, call: Call, endpoint: Endpoint) -> Response:
    exchange = Exchange(vendor, call, vendor.ledger.open(call), vendor.pauses.arrival())
    status: int | None = None
    try:
        reply = _reply(exchange, endpoint)
        status = None if exchange.behaviour.silent else reply.status
    except Abandoned:
        return Response(call, Reply(200), dropped)
    finally:
        vendor.ledger.close(exchange.entry, status, client_gone=client_has_gone(call.connection))
    return Response(call, reply, exchange.behaviour.transport, exchange.pause)


def _reply(exchange: Exchange, endpoint: Endpoint) -> Reply:
    """Return the reply, faults included. Raises Abandoned where the fake was cleared meanwhile."""
    try:
        exchange.behaviour = _behaviour(exchange)
        reply = _worked(exchange, endpoint)
    except Refused as refused:
        reply = refused.reply
    reply = reply.with_headers({"x-request-id": exchange.entry.request_id})
    for edit in exchange.behaviour.edits:
        reply = edit(reply)
    return reply


def _behaviour(exchange: Exchange) -> Behaviour:
    try:
        faults = exchange.vendor.faults.fire(exchange.call)
    except UnknownFault as unknown:
        raise bad_request(str(unknown)) from unknown
    exchange.entry.faults = tuple(map(str, faults))
    return combined(faults)


def _worked(exchange: Exchange, endpoint: Endpoint) -> Reply:
    """Let the endpoint do its work, unless a fault ends it before that; a refusal hides what it answered."""
    behaviour = exchange.behaviour
    if not behaviour.starts or exchange.call.operation not in GENERATING:
        exchange.pause(behaviour.delay or 0)
    reply = endpoint(exchange) if behaviour.starts else Reply(200)
    reply = behaviour.refusal() if behaviour.refusal else reply
    if not behaviour.starts and exchange.call.operation in GENERATING:
        history.note_failure(exchange, reply)
    return reply
