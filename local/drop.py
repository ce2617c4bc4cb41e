"""Order an image by a file in the uploads bucket, wait for it, and print its resource's URL and its file.

    python -m local.drop job --prompt TEXT
    python -m local.drop photo FILE --prompt TEXT [--tag TAG]

The event door answers nobody, so which image came of an event is looked up as an operator does it: in the
door's log, where every line carries the event's id.
"""

from __future__ import annotations

import argparse
import json
import mimetypes
import secrets
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from local.calls import call, post_json
from local.first_image import PATIENCE_SECONDS
from local.orders import command, common_options, demanded, request_of, show
from local.place import UPLOADS, Part, Place
from local.processes import RunError

if TYPE_CHECKING:
    from collections.abc import Mapping

LOOK_SECONDS = 0.1


def main() -> int:
    """Return the exit status."""
    return command("local.drop", _arguments(), _drop)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.drop", description="Order an image by a dropped file.")
    kinds = parser.add_subparsers(required=True)
    common = common_options()
    job = kinds.add_parser("job", parents=[common], help="a job file: the request as JSON")
    job.set_defaults(upload=_upload_job)
    photo = kinds.add_parser("photo", parents=[common], help="an image with metadata: it becomes the reference")
    photo.set_defaults(upload=_upload_photo)
    photo.add_argument("file", type=Path, help="a PNG, JPEG or WebP image")
    photo.add_argument("--tag", help="the name by which the prompt mentions it as @TAG")
    for parser_of_kind in (job, photo):
        parser_of_kind.add_argument("--prompt", required=True)
    return parser.parse_args()


def _drop(arguments: argparse.Namespace, place: Place) -> None:
    uploaded = arguments.upload(arguments, place)
    print(f"gs://{UPLOADS}/{uploaded['name']}", flush=True)
    event = _taken_event(place, uploaded)
    show(place, _image_of(event, place))


def _upload_job(arguments: argparse.Namespace, place: Place) -> dict[str, Any]:
    body = json.dumps(request_of(arguments.prompt, arguments.ratio)).encode()
    return _upload(place, {"name": f"jobs/{secrets.token_hex(4)}.json", "contentType": "application/json"}, body)


def _upload_photo(arguments: argparse.Namespace, place: Place) -> dict[str, Any]:
    given = {name: getattr(arguments, name) for name in ("prompt", "tag", "ratio")}
    resource = {
        "name": f"photos/{secrets.token_hex(4)}-{arguments.file.name}",
        "contentType": mimetypes.guess_type(arguments.file.name, strict=False)[0] or "application/octet-stream",
        "metadata": {name: text for name, text in given.items() if text},
    }
    return _upload(place, resource, arguments.file.read_bytes())


def _upload(place: Place, resource: Mapping[str, object], data: bytes) -> dict[str, Any]:
    """Write an object with its metadata in one go, by a resumable upload of one chunk; return its resource."""
    url = f"{place.url(Part.STORAGE)}/upload/storage/v1/b/{UPLOADS}/o?uploadType=resumable"
    session = post_json(url, resource)
    if not session.ok:
        raise RunError(f"the storage answered {session.status_code}")
    stored: dict[str, Any] = demanded(call("PUT", session.headers["Location"], data), "the storage")
    return stored


def _taken_event(place: Place, uploaded: dict[str, Any]) -> str:
    """Wait until the event door has taken the object's event, and return the event's id."""
    query = urlencode({"bucket": UPLOADS, "name": uploaded["name"]})
    give_up = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < give_up:
        found = demanded(call("GET", f"{place.url(Part.STORAGE)}/_local/events?{query}"), "the storage")["events"]
        taken = [event["id"] for event in found if any(200 <= status < 300 for status in event["answers"])]
        if taken:
            return str(taken[0])
        time.sleep(LOOK_SECONDS)
    raise RunError(f"the event door did not take {uploaded['name']} within {PATIENCE_SECONDS:.0f} s: {found}")


def _image_of(event: str, place: Place) -> str:
    """Return the id of the image that the log tells of; raises `RunError` with the reason if there is none."""
    log = place.log("on_upload")
    lines = [json.loads(line) for line in log.read_text().splitlines() if event in line]
    images = [line["imageId"] for line in lines if "imageId" in line]
    if images:
        return str(images[-1])
    reasons = [line["message"] for line in lines]
    raise RunError(reasons[-1] if reasons else f"{log} tells nothing of event {event}")


if __name__ == "__main__":
    sys.exit(main())
