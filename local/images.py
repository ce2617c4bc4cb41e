"""Images as a caller of the function gets them: ordered or waited for, and downloaded by their signed URL."""

import json
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from pathlib import Path
from typing import Any

from urllib3 import BaseHTTPResponse

from local.calls import HTTPError, call, detail, is_ok
from local.processes import RunError

PATIENCE_SECONDS = 240.0
WIDTH = 30


def demanded(answer: BaseHTTPResponse, who: str) -> Any:  # noqa: ANN401  # any JSON that the service answers
    """Return a good answer's JSON; raises `RunError` in the answer's own words."""
    if not is_ok(answer):
        raise RunError(f"{who} answered {answer.status}: {detail(answer)}")
    return answer.json()


def generate(url: str, prompt: str, expected_seconds: float, check: Callable[[], None]) -> dict[str, Any]:
    """Return the image resource; `check` is called while waiting, to raise if a service has died."""
    pending: Future[BaseHTTPResponse] = Future()
    body = {"promptText": prompt, "referenceImages": [], "ratio": "1280:720"}

    def order() -> None:
        try:
            pending.set_result(call("POST", f"{url}/v1/images", json=body, timeout=PATIENCE_SECONDS))
        except HTTPError as error:
            pending.set_exception(RunError(f"the function did not answer: {error}"))

    threading.Thread(target=order, daemon=True).start()  # a daemon: Ctrl-C must not wait for the answer
    _show_progress(pending, expected_seconds, check)
    resource: dict[str, Any] = demanded(pending.result(), "the function")
    return resource


def _show_progress(pending: Future[BaseHTTPResponse], expected_seconds: float, check: Callable[[], None]) -> None:
    """Wait with a progress line: one that moves in a terminal, one every few seconds in a log."""
    started, moving = time.monotonic(), sys.stdout.isatty()
    while wait_for([pending], timeout=0.2 if moving else 2.0).not_done:
        seconds = time.monotonic() - started
        filled = min(int(WIDTH * seconds / max(expected_seconds, 0.1)), WIDTH - 1)
        line = f"  {'#' * filled:.<{WIDTH}} {seconds:.0f} s, usually {expected_seconds:.0f}"
        print(line, end="\r" if moving else "\n", flush=True)
        check()
    print(f"  {'done in':>{WIDTH}} {time.monotonic() - started:.1f} s{' ' * WIDTH}", flush=True)


def ended(url: str) -> dict[str, Any]:
    """Wait for an image that was ordered elsewhere, and return its resource; raises `RunError` if there is none."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < give_up:
        answer = call("GET", f"{url}?wait=20", timeout=40.0)
        resource: dict[str, Any] = demanded(answer, "the function")
        if resource["status"] == "succeeded":
            return resource
        if resource["status"] not in {"queued", "running"}:
            raise RunError(f"{url} {resource['status']}: {resource['error']['detail']} ({resource['error']['code']})")
    raise RunError(f"{url} is still {resource['status']} after {PATIENCE_SECONDS:.0f} s")


def signed_url(resource: dict[str, Any]) -> str:
    """Return where the image can be fetched; raises `RunError` if there is none."""
    if not resource.get("image"):
        raise RunError(f"there is no image in {json.dumps(resource)}")
    return str(resource["image"]["url"])


def download(resource: dict[str, Any], folder: Path) -> Path:
    """Fetch the image by its signed URL, as a browser would; return the path it was saved to."""
    answer = call("GET", signed_url(resource), timeout=60.0)
    if not is_ok(answer):
        raise RunError(f"the signed URL answered {answer.status}: {detail(answer)}")
    kind = str(resource["image"]["contentType"]).rpartition("/")[2].replace("jpeg", "jpg")
    path = folder / f"{resource['id']}.{kind}"
    path.write_bytes(answer.data)
    return path
