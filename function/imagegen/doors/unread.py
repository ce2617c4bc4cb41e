"""Calls that end outside a door, where functions-framework would answer with a page, and print a traceback."""

import secrets

from flask import Request, Response
from werkzeug.exceptions import HTTPException

from imagegen import log
from imagegen.doors.answers import bug_answer

_HTTP = "run"  # the framework's name for what an HTTP function answers
_AS_THEY_ARE = {405, 503}


def answer(error: Exception, request: Request) -> Response:
    """Return 200 for what the framework can make no CloudEvent of, since no repetition would change it.

    The event door raises nothing but its 503, so only reading an event can fail here. An HTTP door answers its own
    errors: what comes from there is a bug.
    """
    if isinstance(error, HTTPException) and error.code in _AS_THEY_ARE:
        return Response(status=error.code, headers=[h for h in error.get_headers() if h[0] == "Allow"])
    if request.endpoint == _HTTP:
        request_id = secrets.token_hex(16)
        with log.about(request_id, "http"):
            return bug_answer(error, request_id)
    with log.about(request.headers.get("ce-id", "")[:128], "event"):
        if isinstance(error, MemoryError):
            log.event_redelivered("no memory to read it with")
            return Response(status=503)
        log.event_ignored("no CloudEvent")
        return Response(status=200)
