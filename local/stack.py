"""What runs: storage, the vendor (a fake, or the real one) and three doors, each with the settings of the others."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from local.keys import ensure_key
from local.place import RESULTS, ROOT, UPLOADS, Part
from local.processes import Service

if TYPE_CHECKING:
    from local.place import Place

SOURCE = ROOT / "function" / "main.py"

THREADS = 100
"""As deployed: Terraform sets the same number of requests an instance takes at once."""

FAKE_KEY = "SG_local_key"
DOORS = {
    Part.FUNCTION: (
        "function",
        "generate_image",
        f"generate_image, by functions-framework with {THREADS} threads",
    ),
    Part.ON_UPLOAD: (
        "on_upload",
        "on_upload",
        f"the same source: an object finalized in {UPLOADS} is an order",
    ),
    Part.ON_SCHEDULE: ("on_schedule", "on_schedule", "the same source: batches and sweeps, on a scheduler's ticks"),
}
"""Each door's name, its entry point, and what it does."""

MAX_IMAGES_PER_DAY = 1000
REAL_VENDOR = {"MAX_IMAGES_PER_DAY": "20", "REFERENCE_DELIVERY": "segmind-asset"}
"""Segmind cannot fetch from this machine, so references go to it by its own upload."""

COST = "about $0.10"


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line and the environment ask for."""

    place: Place
    latency: float
    segmind_key: str
    deliveries: int
    shuffle: bool

    @property
    def is_paid(self) -> bool:
        return bool(self.segmind_key)


def services(options: Options) -> list[Service]:
    """Return everything to start, in the order in which it is needed."""
    ensure_key(options.place.key_file, server=options.place.url(Part.STORAGE))
    vendor = [] if options.is_paid else [_vendor(options)]
    return [_storage(options), *vendor, *(_door(options, part) for part in DOORS)]


def _storage(options: Options) -> Service:
    place = options.place
    folder = place.state / "storage"
    buckets = ["--directory", str(folder), "--bucket", RESULTS, "--bucket", UPLOADS, "--key", str(place.key_file)]
    events = ["--watch", UPLOADS, "--notify", place.url(Part.ON_UPLOAD), "--deliveries", str(options.deliveries)]
    port = place.port_of(Part.STORAGE)
    command = _module("local.storage", port, *buckets, *events, *(["--shuffle"] if options.shuffle else []))
    about = f"Cloud Storage on this machine, kept in {folder}"
    return Service("storage", about, port, "/_local/health", command, {"PYTHONPATH": str(ROOT)})


def _vendor(options: Options) -> Service:
    port = options.place.port_of(Part.VENDOR)
    command = _module("mock_segmind", port, "--key", FAKE_KEY, "--latency", str(options.latency))
    about = f"plays Segmind: an image takes {options.latency:g} s and costs nothing"
    return Service("fake vendor", about, port, "/_mock/health", command, {"PYTHONPATH": str(ROOT)})


def _module(name: str, port: int, *arguments: str) -> list[str]:
    return [sys.executable, "-m", name, "--port", str(port), *arguments]


def _door(options: Options, part: Part) -> Service:
    """Return one of the doors. The event door refuses a GET with 405, which shows that it is up."""
    name, target, about = DOORS[part]
    port, is_http = options.place.port_of(part), part is not Part.ON_UPLOAD
    called = ["--source", str(SOURCE), "--target", target, "--signature-type", "http" if is_http else "cloudevent"]
    command = [str(Path(sys.executable).with_name("functions-framework")), *called, "--port", str(port)]
    health, healthy = ("/health", 200) if is_http else ("/", 405)
    return Service(name, about, port, health, command, function_environment(options), healthy)


def function_environment(options: Options) -> dict[str, str]:
    """The settings of all three doors; what else the contract can set is taken from the environment of the run."""
    place = options.place
    return {
        "HOST": "127.0.0.1",
        "THREADS": str(THREADS),
        "RESULTS_BUCKET": RESULTS,
        "UPLOADS_BUCKET": UPLOADS,
        "STORAGE_EMULATOR_HOST": place.url(Part.STORAGE),
        "GOOGLE_APPLICATION_CREDENTIALS": str(place.key_file),
        "GOOGLE_CLOUD_PROJECT": "local-project",
        # Else the storage client fetches each bucket's metadata in the background, for traces that nobody records.
        "DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA": "true",
        "AUTH": "none",
        "PLAYGROUND": "1",
        "CORS_ORIGINS": "*",
        "NO_PROXY": ",".join(filter(None, ("127.0.0.1", os.environ.get("NO_PROXY")))),
        **(REAL_VENDOR if options.is_paid else _fake_vendor(place)),
    }


def _fake_vendor(place: Place) -> dict[str, str]:
    return {
        "MAX_IMAGES_PER_DAY": str(MAX_IMAGES_PER_DAY),
        "SEGMIND_API_KEY": FAKE_KEY,
        "SEGMIND_BASE_URL": place.url(Part.VENDOR),
        "SEGMIND_UPLOAD_URL": f"{place.url(Part.VENDOR)}/upload-asset",
        "SEGMIND_HISTORY_URL": f"{place.url(Part.VENDOR)}/inference-request/request-history",
    }
