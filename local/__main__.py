"""`make run`: the whole service on this machine, one image to show that it works, and then it stays up.

    python -m local [--once] [--port 8080] [--prompt TEXT]

With `SEGMIND_API_KEY` in the environment the real Segmind generates, for money; else a fake does.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
import webbrowser
from pathlib import Path
from typing import NoReturn

from local import first_image
from local.processes import Family, RunError
from local.stack import COST, ROOT, Options, services

PROMPT = "A red bicycle against a white wall, morning light"
AVERAGE_SECONDS = 30.0
"""What the real vendor usually takes; only the progress line uses it."""


def main() -> int:
    """Run; 0 after `--once` or Ctrl-C, 1 and a line on stderr if anything fails."""
    arguments = _arguments()
    options = Options(arguments.port, arguments.state, arguments.latency, os.environ.get("SEGMIND_API_KEY", "").strip())
    family = Family(options.state / "logs")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        _start(options, family)
        _show_image(options, family, arguments.prompt, browse=not arguments.once)
        if not arguments.once:
            _stay(family)
    except KeyboardInterrupt:
        print("\nStopping.", flush=True)
    except (RunError, OSError) as error:
        sys.stderr.write(f"make run: {error}\n")
        return 1
    finally:
        _ignore_signals()
        family.stop()
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local", description="The whole service on this machine.")
    parser.add_argument("--once", action="store_true", help="stop after the first image")
    parser.add_argument("--port", type=int, default=8080, help="the function's; the others take the next ones")
    parser.add_argument("--prompt", default=PROMPT, help="what the first image shows")
    parser.add_argument("--latency", type=float, default=4.0, help="seconds that the fake vendor takes")
    parser.add_argument("--state", type=Path, default=ROOT / ".local", help="where everything is kept")
    return parser.parse_args()


def _interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _ignore_signals() -> None:
    """Keep a second Ctrl-C from cutting the clean-up short."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def _start(options: Options, family: Family) -> None:
    print("Starting the service on this machine.")
    if options.is_paid:
        print(f"  SEGMIND_API_KEY is set: the real Segmind generates, and each image costs {COST}.")
    for service in services(options):
        print(f"  {service.name:12} {service.url}  {service.about}", flush=True)
        family.start(service)


def _show_image(options: Options, family: Family, prompt: str, *, browse: bool) -> None:
    url = f"http://127.0.0.1:{options.port}"
    print(f"Generating “{prompt}” by POST {url}/v1/images", flush=True)
    expected = AVERAGE_SECONDS if options.is_paid else options.latency
    resource = first_image.generate(url, prompt, expected, family.check)
    print(json.dumps(resource, indent=2))
    print(f"Its signed URL:\n  {first_image.signed_url(resource)}")
    path = first_image.download(resource, options.state)
    print(f"Downloaded by that URL, and saved as:\n  {path}", flush=True)
    if browse and _has_display():
        webbrowser.open(path.as_uri())


def _has_display() -> bool:
    shown = sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return bool(shown) and sys.stdout.isatty()


def _stay(family: Family) -> NoReturn:
    print("Everything stays up until Ctrl-C.", flush=True)
    while True:
        family.check()
        time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main())
