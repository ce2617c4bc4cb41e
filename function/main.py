"""The entry points that are deployed: each translates for its door, and does nothing else."""

import functions_framework
from flask import Request, Response

from imagegen import wiring


@functions_framework.http
def generate_image(request: Request) -> Response:
    """Answer an HTTP call."""
    return wiring.app().http.respond(request)


wiring.start()
