"""The first image of a run: generated over HTTP as any caller would, shown while it is being made, and downloaded."""

from __future__ import annotations

import json
import sys
import threading
import time
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from typing import TYPE_CHECKING, Any

from local.calls import call, post_json
from local.processes import RunError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import requests

PATIENCE_SECONDS = 240.0
WIDTH = 30


def generate(url: str, prompt: str, expected_seconds: float, check: Callable[[], None]) -> dict[str, Any]:
    """Return the image resource; `check` is called while waiting, to raise if a service has died."""
    body = {"promptText": prompt, "referenceImages": [], "ratio": "1280:720"}
    pending = _in_background(lambda: post_json(f"{url}/v1/images", body, timeout=PATIENCE_SECONDS))
    answer = _shown(pending, expected_seconds, check)
    if not answer.ok:
        raise RunError(f"the function answered {answer.status_code}: {detail(answer)}")
    resource: dict[str, Any] = answer.json()
    return resource


def _in_background(act: Callable[[], requests.Response]) -> Future[requests.Response]:
    """Call in a daemon thread: Ctrl-C must not wait for the answer."""
    future: Future[requests.Response] = Future()

    def run() -> None:
        try:
            future.set_result(act())
        except OSError as error:
            future.set_exception(RunError(f"the function did not answer: {error}"))

    threading.Thread(target=run, daemon=True).start()
    return future


def _shown(pending: Future[requests.Response], expected_seconds: float, check: Callable[[], None]) -> requests.Response:
    """Wait with a progress line: one that moves in a terminal, one every few seconds in a log."""
    started, moving = time.monotonic(), sys.stdout.isatty()
    while wait_for([pending], timeout=0.2 if moving else 2.0).not_done:
        print(_progress(time.monotonic() - started, expected_seconds), end="\r" if moving else "\n", flush=True)
        check()
    print(f"  {'done in':>{WIDTH}} {time.monotonic() - started:.1f} s{' ' * WIDTH}", flush=True)
    return pending.result()


def _progress(seconds: float, expected_seconds: float) -> str:
    filled = min(int(WIDTH * seconds / max(expected_seconds, 0.1)), WIDTH - 1)
    return f"  {'#' * filled:.<{WIDTH}} {seconds:.0f} s, usually {expected_seconds:.0f}"


def detail(answer: requests.Response) -> str:
    """The problem's own words, where it is one."""
    try:
        problem = answer.json()
        return f"{problem['detail']} ({problem['code']})"
    except (ValueError, KeyError, TypeError):
        return answer.content[:200].decode(errors="replace")


def signed_url(resource: dict[str, Any]) -> str:
    """Where the image can be fetched; raises `RunError` if there is none."""
    if not resource.get("image"):
        raise RunError(f"there is no image in {json.dumps(resource)}")
    return str(resource["image"]["url"])


def download(resource: dict[str, Any], folder: Path) -> Path:
    """Fetch the image by its signed URL, as a browser would; the path it was saved to."""
    answer = call("GET", signed_url(resource), timeout=60.0)
    if not answer.ok:
        raise RunError(f"the signed URL answered {answer.status_code}: {answer.content[:300].decode(errors='replace')}")
    kind = str(resource["image"]["contentType"]).rpartition("/")[2].replace("jpeg", "jpg")
    path = folder / f"{resource['id']}.{kind}"
    path.write_bytes(answer.content)
    return path
