"""Send one tick to the schedule door, wait for its images, and print each one's resource URL and file.

    python -m local.tick NAME --prompt TEXT [--prompt TEXT]… [--at TIME]
    python -m local.tick --sweep

The same name and time are the same tick: sent again it buys nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import TYPE_CHECKING

from local.orders import command, common_options, demanded, request_of, show
from local.place import Part
from local.scheduler import Job, tick, time_text

if TYPE_CHECKING:
    from local.place import Place


def main() -> int:
    """Return the exit status."""
    arguments = _arguments()
    return command("local.tick", arguments, _sweep if arguments.sweep else _batch)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m local.tick", description="Send one tick of a schedule.", parents=[common_options()]
    )
    parser.add_argument("name", nargs="?", help="the schedule's name")
    parser.add_argument("--prompt", action="append", help="an image to generate; may be repeated")
    parser.add_argument("--at", default=time_text(time.time()), help="the time it was planned for; now by default")
    parser.add_argument("--sweep", action="store_true", help="the other tick: end what crashed instances left behind")
    arguments = parser.parse_args()
    if arguments.sweep == bool(arguments.name and arguments.prompt):
        parser.error("give NAME and --prompt, or --sweep")
    return arguments


def _sweep(arguments: argparse.Namespace, place: Place) -> None:
    job = Job("sweep", place.url(Part.ON_SCHEDULE) + "/sweep")
    print(json.dumps(demanded(tick(job, arguments.at), "on_schedule")))


def _batch(arguments: argparse.Namespace, place: Place) -> None:
    images = [request_of(prompt, arguments.ratio) for prompt in arguments.prompt]
    body = json.dumps({"name": arguments.name, "images": images}).encode()
    job = Job(arguments.name, place.url(Part.ON_SCHEDULE) + "/", body)
    answer = demanded(tick(job, arguments.at), "on_schedule")
    print(f"tick {arguments.at}: {len(answer['queued'])} queued, {len(answer['replayed'])} replayed", flush=True)
    for image_id in (*answer["queued"], *answer["replayed"]):
        show(place, image_id)


if __name__ == "__main__":
    sys.exit(main())
