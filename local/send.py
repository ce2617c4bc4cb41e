"""Send something to the doors that have no callers here, and print what comes of it.

    python -m local.send {job | photo FILE | batch NAME} --prompt TEXT
    python -m local.send {sweep | reconcile}

Of each image it waits for, it prints the resource's URL and the file it saved. The same batch and time are the same
call: sent again it buys nothing.
"""

import argparse
import json
import mimetypes
import secrets
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from local.calls import HTTPError, call, is_ok
from local.images import PATIENCE_SECONDS, demanded, download, ended
from local.layout import UPLOADS, Layout, Part, add_options, layout_of
from local.processes import RunError
from local.scheduler import Job, send, time_text


def main() -> int:
    """Return 0, or 1 and one line on stderr if it fails or no run answers."""
    arguments = _arguments()
    layout = layout_of(arguments)
    try:
        _check_it_runs(layout)
        arguments.act(arguments, layout)
    except (RunError, OSError, HTTPError) as error:
        sys.stderr.write(f"local.send: {error}\n")
        return 1
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.send", description="Send something to the other doors.")
    kinds = parser.add_subparsers(required=True)
    run, image, at = (argparse.ArgumentParser(add_help=False) for _ in range(3))
    add_options(run)
    image.add_argument("--ratio", help="width:height, such as 1280:720")
    at.add_argument("--at", default=time_text(time.time()), help="the time it was planned for; now by default")
    job = kinds.add_parser("job", parents=[run, image], help="a job file: the request as JSON")
    job.set_defaults(act=_send_job)
    photo = kinds.add_parser("photo", parents=[run, image], help="an image with metadata: it becomes the reference")
    photo.set_defaults(act=_send_photo)
    photo.add_argument("file", type=Path, help="a PNG, JPEG or WebP image")
    photo.add_argument("--tag", help="the name by which the prompt mentions it as @TAG")
    for one_image in (job, photo):
        one_image.add_argument("--prompt", required=True)
    batch = kinds.add_parser("batch", parents=[run, image, at], help="several requests, as a schedule sends them")
    batch.set_defaults(act=_send_batch)
    batch.add_argument("name", help="the schedule's name")
    batch.add_argument("--prompt", action="append", required=True, help="an image to generate; may be repeated")
    for route, about in {"sweep": "end what crashed instances left", "reconcile": "compare with the bill"}.items():
        kinds.add_parser(route, parents=[run, at], help=about).set_defaults(act=_send_call, route=route)
    return parser.parse_args()


def _check_it_runs(layout: Layout) -> None:
    with suppress(HTTPError):
        if is_ok(call("GET", layout.url(Part.STORAGE) + "/_local/health")):
            return
    start = "start `make run` in another terminal first, or name its port by LOCAL_PORT"
    raise RunError(f"nothing runs on port {layout.port} and the next ones: {start}")


def _request(prompt: str, ratio: str | None) -> dict[str, object]:
    return {"promptText": prompt, "referenceImages": [], **({"ratio": ratio} if ratio else {})}


def _show(layout: Layout, image_id: str) -> None:
    url = f"{layout.url(Part.FUNCTION)}/v1/images/{image_id}"
    print(f"{url}\n{download(ended(url), layout.state)}", flush=True)


def _send_job(arguments: argparse.Namespace, layout: Layout) -> None:
    body = json.dumps(_request(arguments.prompt, arguments.ratio)).encode()
    resource = {"name": f"jobs/{secrets.token_hex(4)}.json", "contentType": "application/json"}
    _upload(layout, resource, body)


def _send_photo(arguments: argparse.Namespace, layout: Layout) -> None:
    given = {name: getattr(arguments, name) for name in ("prompt", "tag", "ratio")}
    resource = {
        "name": f"photos/{secrets.token_hex(4)}-{arguments.file.name}",
        "contentType": mimetypes.guess_type(arguments.file.name, strict=False)[0] or "application/octet-stream",
        "metadata": {name: text for name, text in given.items() if text},
    }
    _upload(layout, resource, arguments.file.read_bytes())


def _upload(layout: Layout, resource: Mapping[str, object], data: bytes) -> None:
    """Write an object and its metadata at once, by a resumable upload of one chunk; show the image that comes of it."""
    url = f"{layout.url(Part.STORAGE)}/upload/storage/v1/b/{UPLOADS}/o?uploadType=resumable"
    session = call("POST", url, json=resource)
    demanded(call("PUT", session.headers["Location"], body=data), "the storage")
    name = str(resource["name"])
    print(f"gs://{UPLOADS}/{name}", flush=True)
    _show(layout, _image_of(_taken_event(layout, name), layout))


def _taken_event(layout: Layout, name: str) -> str:
    """Wait until the event door has taken the object's event, and return the event's id."""
    url = f"{layout.url(Part.STORAGE)}/_local/events?{urlencode({'bucket': UPLOADS, 'name': name})}"
    give_up = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < give_up:
        found = demanded(call("GET", url), "the storage")["events"]
        taken = [event["id"] for event in found if any(200 <= status < 300 for status in event["answers"])]
        if taken:
            return str(taken[0])
        time.sleep(0.1)
    raise RunError(f"the event door did not take {name} within {PATIENCE_SECONDS:.0f} s: {found}")


def _image_of(event: str, layout: Layout) -> str:
    """Return the id of the event's image, by the door's log, where every line names the event: no answer tells it."""
    log = layout.log("on_upload")
    lines: list[dict[str, Any]] = [json.loads(line) for line in log.read_text().splitlines() if event in line]
    images = [line["imageId"] for line in lines if "imageId" in line]
    if images:
        return str(images[-1])
    raise RunError(lines[-1]["message"] if lines else f"{log} tells nothing of event {event}")


def _send_batch(arguments: argparse.Namespace, layout: Layout) -> None:
    images = [_request(prompt, arguments.ratio) for prompt in arguments.prompt]
    job = Job(arguments.name, layout.url(Part.ON_SCHEDULE) + "/", {"name": arguments.name, "images": images})
    answer = demanded(send(job, arguments.at), "on_schedule")
    print(f"batch of {arguments.at}: {len(answer['queued'])} queued, {len(answer['replayed'])} replayed", flush=True)
    for image_id in (*answer["queued"], *answer["replayed"]):
        _show(layout, image_id)


def _send_call(arguments: argparse.Namespace, layout: Layout) -> None:
    job = Job(arguments.route, f"{layout.url(Part.ON_SCHEDULE)}/{arguments.route}")
    print(json.dumps(demanded(send(job, arguments.at), "on_schedule")))


if __name__ == "__main__":
    sys.exit(main())
