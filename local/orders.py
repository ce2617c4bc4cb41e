"""What the commands that order an image by another door have in common: they wait for it and say where it is."""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING, Any

from local.calls import call
from local.first_image import PATIENCE_SECONDS, detail, download
from local.place import Part, Place, add_options, place_of
from local.processes import RunError

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

LOOK_SECONDS = 20


def request_of(prompt: str, ratio: str | None) -> dict[str, object]:
    """Return the body of a request without reference images."""
    return {"promptText": prompt, "referenceImages": [], **({"ratio": ratio} if ratio else {})}


def common_options() -> argparse.ArgumentParser:
    """Return the options that every command has."""
    parser = argparse.ArgumentParser(add_help=False)
    add_options(parser)
    parser.add_argument("--ratio", help="width:height, such as 1280:720")
    return parser


def command(name: str, arguments: argparse.Namespace, act: Callable[[argparse.Namespace, Place], None]) -> int:
    """Act; 0, or 1 and one line on stderr if it fails or nothing runs at this place."""
    place = place_of(arguments)
    try:
        _check_it_runs(place)
        act(arguments, place)
    except (RunError, OSError) as error:
        sys.stderr.write(f"{name}: {error}\n")
        return 1
    return 0


def _check_it_runs(place: Place) -> None:
    try:
        running = call("GET", place.url(Part.STORAGE) + "/_local/health").ok
    except OSError:
        running = False
    if not running:
        raise RunError(
            f"nothing runs on port {place.port} and the next ones: start `make run` in another terminal first, "
            "or name its port by LOCAL_PORT"
        )


def demanded(answer: requests.Response, who: str) -> Any:  # noqa: ANN401  # whatever the service answers
    """Return a good answer's JSON; raises `RunError` in the answer's own words."""
    if not answer.ok:
        raise RunError(f"{who} answered {answer.status_code}: {detail(answer)}")
    return answer.json()


def show(place: Place, image_id: str) -> None:
    """Wait for an image, fetch it by its signed URL, and print its resource's URL and its file."""
    url = f"{place.url(Part.FUNCTION)}/v1/images/{image_id}"
    resource = _ended(url)
    if resource["status"] != "succeeded":
        raise RunError(f"{url} {resource['status']}: {resource['error']['detail']} ({resource['error']['code']})")
    print(f"{url}\n{download(resource, place.state)}", flush=True)


def _ended(url: str) -> dict[str, Any]:
    give_up = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < give_up:
        answer = call("GET", f"{url}?wait={LOOK_SECONDS}", timeout=LOOK_SECONDS * 2)
        resource: dict[str, Any] = demanded(answer, "the function")
        if resource["status"] not in {"queued", "running"}:
            return resource
    raise RunError(f"{url} is still {resource['status']} after {PATIENCE_SECONDS:.0f} s")
