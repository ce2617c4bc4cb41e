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
MAX_IMAGES_PER_DAY = 1000
MAX_PAID_IMAGES_PER_DAY = 20
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
    """Everything to start, in the order in which it is needed."""
    ensure_key(options.place.key_file, server=options.place.url(Part.STORAGE))
    vendor = [] if options.is_paid else [_vendor(options)]
    return [_storage(options), *vendor, _function(options), _on_upload(options), _on_schedule(options)]


def _storage(options: Options) -> Service:
    place = options.place
    folder, port = place.state / "storage", place.port_of(Part.STORAGE)
    command = [sys.executable, "-m", "local.storage", "--directory", str(folder), "--port", str(port)]
    buckets = ["--bucket", RESULTS, "--bucket", UPLOADS, "--key", str(place.key_file)]
    events = ["--watch", UPLOADS, "--notify", place.url(Part.ON_UPLOAD), "--deliveries", str(options.deliveries)]
    return Service(
        name="storage",
        about=f"Cloud Storage on this machine, kept in {folder}",
        port=port,
        health="/_local/health",
        command=[*command, *buckets, *events, *(["--shuffle"] if options.shuffle else [])],
        environment=_import_path(),
    )


def _vendor(options: Options) -> Service:
    port = options.place.port_of(Part.VENDOR)
    command = [sys.executable, "-m", "mock_segmind", "--port", str(port), "--key", FAKE_KEY]
    return Service(
        name="fake vendor",
        about=f"plays Segmind: an image takes {options.latency:g} s and costs nothing",
        port=port,
        health="/_mock/health",
        command=[*command, "--latency", str(options.latency)],
        environment=_import_path(),
    )


def _function(options: Options) -> Service:
    return Service(
        name="function",
        about=f"generate_image, deployed by functions-framework with {THREADS} threads",
        port=options.place.port_of(Part.FUNCTION),
        health="/health",
        command=_framework("generate_image", "http", options.place.port_of(Part.FUNCTION)),
        environment=function_environment(options),
    )


def _on_upload(options: Options) -> Service:
    """The event door, which answers nothing but events: that it refuses a GET with 405 shows that it is up."""
    return Service(
        name="on_upload",
        about=f"the same source: what is finalized in the bucket {UPLOADS} is an order",
        port=options.place.port_of(Part.ON_UPLOAD),
        health="/",
        healthy=405,
        command=_framework("on_upload", "cloudevent", options.place.port_of(Part.ON_UPLOAD)),
        environment=function_environment(options),
    )


def _on_schedule(options: Options) -> Service:
    return Service(
        name="on_schedule",
        about="the same source: batches and sweeps, on a scheduler's ticks",
        port=options.place.port_of(Part.ON_SCHEDULE),
        health="/health",
        command=_framework("on_schedule", "http", options.place.port_of(Part.ON_SCHEDULE)),
        environment=function_environment(options),
    )


def _framework(target: str, kind: str, port: int) -> list[str]:
    program = Path(sys.executable).with_name("functions-framework")
    called = ["--source", str(SOURCE), "--target", target, "--signature-type", kind]
    return [str(program), *called, "--port", str(port)]


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
        **(_real_vendor() if options.is_paid else _fake_vendor(place)),
    }


def _real_vendor() -> dict[str, str]:
    """Segmind cannot fetch from this machine, so references go to it by its own upload."""
    return {"MAX_IMAGES_PER_DAY": str(MAX_PAID_IMAGES_PER_DAY), "REFERENCE_DELIVERY": "segmind-asset"}


def _fake_vendor(place: Place) -> dict[str, str]:
    return {
        "MAX_IMAGES_PER_DAY": str(MAX_IMAGES_PER_DAY),
        "SEGMIND_API_KEY": FAKE_KEY,
        "SEGMIND_BASE_URL": place.url(Part.VENDOR),
        "SEGMIND_UPLOAD_URL": f"{place.url(Part.VENDOR)}/upload-asset",
    }


def _import_path() -> dict[str, str]:
    return {"PYTHONPATH": str(ROOT)}
