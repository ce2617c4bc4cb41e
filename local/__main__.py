"""`make run`: the whole service on this machine, one image to show that it works, and then it stays up.

    python -m local [--once] [--port 8080] [--prompt TEXT] [--deliveries 3 --shuffle]

With `SEGMIND_API_KEY` in the environment the real Segmind generates, for money; else a fake does.
"""

import argparse
import fcntl
import json
import os
import signal
import sys
import threading
import time
import webbrowser
from pathlib import Path
from typing import IO, NoReturn

from local import images
from local.completions import Completions
from local.layout import Layout, Part, add_options, layout_of
from local.processes import Family, RunError
from local.scheduler import Job, Scheduler
from local.stack import COST, Options, services

PROMPT = "A red bicycle against a white wall, morning light"
AVERAGE_SECONDS = 30.0
"""What the real vendor usually takes; only the progress line uses it."""

RECONCILE_SECONDS = 5 * 3600.0
"""After midnight UTC, as Terraform's schedule says: rows of the vendor's history can be late."""

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

HINTS = """The other doors, each in one line:
  {start} local.send job --prompt "a lighthouse in fog"
  {start} local.send photo local/photo.jpg --prompt "@photo in deep snow" --tag photo
  {start} local.send batch daily --prompt "the sea at noon"
  {start} local.send sweep"""


def main() -> int:
    """Run; 0 after `--once` or Ctrl-C, 1 and a line on stderr if anything fails."""
    arguments = _arguments()
    options = _options(arguments)
    family = Family(options.layout)
    for number in STOPPING:
        signal.signal(number, _interrupt)
    try:
        lock = _own(options.layout.state)
        told = Completions(options.layout.completions)
        _start(options, family)
        _show_image(options, family, arguments.prompt, told, browse=not arguments.once)
        if not arguments.once:
            _stay(family, options.layout, told, arguments.sweep_every)
    except KeyboardInterrupt:
        print("\nStopping; images under way may finish first.", flush=True)
    except (RunError, OSError) as error:
        sys.stderr.write(f"make run: {error}\n")
        return 1
    finally:
        for number in STOPPING:
            signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not cut the clean-up short
        family.stop(arguments.patience)
    lock.close()
    return 0


def _own(state: Path) -> IO[str]:
    """Return the lock on the state folder: two runs in one would write over each other's objects and logs."""
    state.mkdir(parents=True, exist_ok=True)
    lock: IO[str] = (state / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        message = f'another run uses {state}; stop it, or start with ARGS="--port 9000 --state .local/second"'
        raise RunError(message) from None
    return lock


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local", description="The whole service on this machine.")
    parser.add_argument("--once", action="store_true", help="stop after the first image")
    add_options(parser)
    parser.add_argument("--prompt", default=PROMPT, help="what the first image shows")
    parser.add_argument("--patience", type=float, default=10.0, help="seconds that images under way may take to end")
    parser.add_argument("--latency", type=float, default=4.0, help="seconds that the fake vendor takes")
    parser.add_argument("--sweep-every", type=float, default=60.0, help="seconds between two sweeps")
    parser.add_argument("--deliveries", type=int, default=1, help="how often each event is delivered")
    parser.add_argument("--shuffle", action="store_true", help="deliver events in random order")
    return parser.parse_args()


def _options(given: argparse.Namespace) -> Options:
    key, origins = os.environ.get("SEGMIND_API_KEY", "").strip(), os.environ.get("CORS_ORIGINS", "*")
    return Options(layout_of(given), given.latency, key, given.deliveries, given.shuffle, origins)


def _interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _start(options: Options, family: Family) -> None:
    print("Starting the service on this machine.")
    if options.is_paid:
        print(f"  SEGMIND_API_KEY is set: the real Segmind generates, and each image costs {COST}.")
    for service in services(options):
        print(f"  {service.name:12} {service.url}  {service.about}", flush=True)
        family.start(service)
    family.wait()


def _show_image(options: Options, family: Family, prompt: str, told: Completions, *, browse: bool) -> None:
    url = options.layout.url(Part.FUNCTION)
    print(f"Generating “{prompt}” by POST {url}/v1/images", flush=True)
    expected = AVERAGE_SECONDS if options.is_paid else options.latency
    resource = images.generate(url, prompt, expected, family.check)
    print(json.dumps(resource, indent=2))
    print(f"Told when an image has ended, as Pub/Sub pushes it (whole messages: {told.path}):")
    _show_completions(told)
    print(f"Its signed URL:\n  {images.signed_url(resource)}")
    path = images.download(resource, options.layout.state)
    print(f"Downloaded by that URL, and saved as:\n  {path}", flush=True)
    if browse and _has_display():
        webbrowser.open(images.signed_url(resource))


def _show_completions(told: Completions) -> None:
    for attributes in told.new():
        print(f"  ended: {json.dumps(attributes)}", flush=True)


def _has_display() -> bool:
    shown = sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return bool(shown) and sys.stdout.isatty()


def _stay(family: Family, layout: Layout, told: Completions, sweep_seconds: float) -> NoReturn:
    print(f"The playground, to try it out and to break it:\n  {layout.url(Part.FUNCTION)}/")
    print(HINTS.format(start=f"{layout.prefix()}.venv/bin/python -m"))
    print("Everything stays up until Ctrl-C.", flush=True)
    schedule = layout.url(Part.ON_SCHEDULE)
    sweep = Job("sweep", f"{schedule}/sweep", every=sweep_seconds)
    reconcile = Job("reconcile", f"{schedule}/reconcile", past=RECONCILE_SECONDS)
    for job in (sweep, reconcile):
        Scheduler(job, report=print, wait=threading.Event().wait).start()
    while True:
        family.check()
        _show_completions(told)
        time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main())
