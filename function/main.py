"""The entry points that are deployed: each translates for its door, and does nothing else."""

import functions_framework
from cloudevents.http import CloudEvent
from flask import Request, Response, abort, request

from imagegen import wiring


@functions_framework.http
def generate_image(call: Request) -> Response:
    """Answer a frontend or a back end."""
    return wiring.app().http.respond(call)


@functions_framework.errorhandler(404)  # type: ignore[untyped-decorator]  # the framework leaves it untyped
def not_found(_error: object) -> Response:
    """Answer the paths that the framework keeps for itself, as any other unknown route."""
    return wiring.app().http.respond(request)


@functions_framework.cloud_event
def on_upload(event: CloudEvent) -> None:
    """Run what a finalized object asks for; a 503 asks the platform to deliver the event again."""
    from imagegen.doors.events import Event  # noqa: PLC0415 - brings the pipeline, which `/health` does not wait for

    if not wiring.app().events.handle(Event(str(event["id"]), event["type"], event.get("time"), event.data)):
        abort(503)


@functions_framework.errorhandler(Exception)  # type: ignore[untyped-decorator]  # as above
def not_read(error: Exception) -> Response:
    """Answer a call of which the framework could make nothing, and what our own `abort` raised."""
    from imagegen.doors.unread import answer  # noqa: PLC0415 - as above

    return answer(error, request)


@functions_framework.http
def on_schedule(call: Request) -> Response:
    """Answer Cloud Scheduler."""
    return wiring.app().schedule.respond(call)


wiring.start()
