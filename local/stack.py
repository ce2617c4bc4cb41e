"""What runs: storage, the vendor (a fake, or the real one) and three doors, each with the settings of the others."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from local.keys import ensure_key
from local.layout import RESULTS, ROOT, UPLOADS, Layout, Part
from local.processes import Service

SOURCE = ROOT / "function" / "main.py"

THREADS = 100
"""As deployed: Terraform sets the same number of requests an instance takes at once."""

IMPORT_PATH = {"PYTHONPATH": str(ROOT)}
FAKE_KEY = "SG_local_key"
MAX_IMAGES_PER_DAY = 1000
MAX_PAID_IMAGES_PER_DAY = 20
COST = "about $0.10"


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line and the environment ask for."""

    layout: Layout
    latency: float
    segmind_key: str
    deliveries: int
    shuffle: bool
    cors_origins: str = "*"

    @property
    def is_paid(self) -> bool:
        return bool(self.segmind_key)


def services(options: Options) -> list[Service]:
    """Return everything to start, in the order in which it is needed."""
    ensure_key(options.layout.key_file, server=options.layout.url(Part.STORAGE))
    vendor = [] if options.is_paid else [_vendor(options)]
    return [
        _storage(options),
        *vendor,
        _door(options, Part.FUNCTION, f"generate_image, deployed by functions-framework with {THREADS} threads"),
        _door(options, Part.ON_UPLOAD, f"the same source: what is finalized in the bucket {UPLOADS} is an order"),
        _door(options, Part.ON_SCHEDULE, "the same source: batches, sweeps and reconciling, called by a scheduler"),
    ]


def _storage(options: Options) -> Service:
    layout = options.layout
    folder = str(layout.state / "storage")
    kept = ["--directory", folder, "--bucket", RESULTS, "--bucket", UPLOADS, "--key", str(layout.key_file)]
    events = ["--watch", UPLOADS, "--notify", layout.url(Part.ON_UPLOAD), "--deliveries", str(options.deliveries)]
    more = ["--origins", options.cors_origins, "--completions", str(layout.completions)]
    more += ["--shuffle"] if options.shuffle else []
    command = _module("local.storage", layout.port_of(Part.STORAGE), *kept, *events, *more)
    about = f"Cloud Storage on this machine, kept in {folder}"
    return Service("storage", about, layout.port_of(Part.STORAGE), "/_local/health", command, IMPORT_PATH)


def _vendor(options: Options) -> Service:
    port = options.layout.port_of(Part.VENDOR)
    command = _module("mock_segmind", port, "--key", FAKE_KEY, "--latency", str(options.latency))
    about = f"plays Segmind: an image takes {options.latency:g} s and costs nothing"
    return Service("fake vendor", about, port, "/_mock/health", command, IMPORT_PATH)


def _module(name: str, port: int, *arguments: str) -> list[str]:
    return [sys.executable, "-m", name, "--port", str(port), *arguments]


def _door(options: Options, part: Part, about: str) -> Service:
    """Return a deployed function. The event door takes no GET: that it answers 405 shows that it is up."""
    name, port = part.name.lower(), options.layout.port_of(part)
    target = "generate_image" if part == Part.FUNCTION else name
    kind, health, healthy = ("cloudevent", "/", 405) if part == Part.ON_UPLOAD else ("http", "/health", 200)
    program = str(Path(sys.executable).with_name("functions-framework"))
    called = ["--source", str(SOURCE), "--target", target, "--signature-type", kind, "--port", str(port)]
    return Service(name, about, port, health, [program, *called], function_environment(options), healthy)


def function_environment(options: Options) -> dict[str, str]:
    """Return the settings of all three doors; all others are taken from the environment of the run."""
    layout = options.layout
    return {
        "HOST": "127.0.0.1",
        "THREADS": str(THREADS),
        "RESULTS_BUCKET": RESULTS,
        "UPLOADS_BUCKET": UPLOADS,
        "STORAGE_EMULATOR_HOST": layout.url(Part.STORAGE),
        "GOOGLE_APPLICATION_CREDENTIALS": str(layout.key_file),
        "GOOGLE_CLOUD_PROJECT": "local-project",
        "AUTH": "none",
        "PLAYGROUND": "1",
        "CORS_ORIGINS": options.cors_origins,
        "NO_PROXY": ",".join(filter(None, ("127.0.0.1", os.environ.get("NO_PROXY")))),
        **(_real_vendor() if options.is_paid else _fake_vendor(layout.url(Part.VENDOR))),
    }


def _real_vendor() -> dict[str, str]:
    """Segmind cannot fetch from this machine, so references go to it by its own upload."""
    return {"MAX_IMAGES_PER_DAY": str(MAX_PAID_IMAGES_PER_DAY), "REFERENCE_DELIVERY": "segmind-asset"}


def _fake_vendor(url: str) -> dict[str, str]:
    return {
        "MAX_IMAGES_PER_DAY": str(MAX_IMAGES_PER_DAY),
        "SEGMIND_API_KEY": FAKE_KEY,
        "SEGMIND_BASE_URL": url,
        "SEGMIND_UPLOAD_URL": f"{url}/upload-asset",
        "SEGMIND_HISTORY_URL": f"{url}/inference-request/request-history",
    }
