"""What runs: storage, the vendor (a fake, or the real one) and the function, each with the settings of the others."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from local.keys import ensure_key
from local.processes import Service

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "function" / "main.py"
RESULTS, UPLOADS = "results", "uploads"

THREADS = 100
"""As deployed: Terraform sets the same number of requests an instance takes at once."""

FAKE_KEY = "SG_local_key"
MAX_IMAGES_PER_DAY = 1000
MAX_PAID_IMAGES_PER_DAY = 20
COST = "about $0.10"


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line and the environment ask for. Ports follow `port`: storage, vendor, then the other doors."""

    port: int
    state: Path
    latency: float
    segmind_key: str

    @property
    def is_paid(self) -> bool:
        return bool(self.segmind_key)

    @property
    def storage_url(self) -> str:
        return f"http://127.0.0.1:{self.port + 1}"

    @property
    def vendor_url(self) -> str:
        return f"http://127.0.0.1:{self.port + 2}"

    @property
    def key_file(self) -> Path:
        return self.state / "service-account.json"


def services(options: Options) -> list[Service]:
    """Everything to start, in the order in which it is needed."""
    ensure_key(options.key_file, server=options.storage_url)
    vendor = [] if options.is_paid else [_vendor(options)]
    return [_storage(options), *vendor, _function(options)]


def _storage(options: Options) -> Service:
    folder = options.state / "storage"
    command = [sys.executable, "-m", "local.storage", "--directory", str(folder), "--port", str(options.port + 1)]
    buckets = [word for name in (RESULTS, UPLOADS) for word in ("--bucket", name)]
    return Service(
        name="storage",
        about=f"Cloud Storage on this machine, kept in {folder}",
        port=options.port + 1,
        health="/_local/health",
        command=[*command, *buckets, "--key", str(options.key_file)],
        environment=_import_path(),
    )


def _vendor(options: Options) -> Service:
    command = [sys.executable, "-m", "mock_segmind", "--port", str(options.port + 2), "--key", FAKE_KEY]
    return Service(
        name="fake vendor",
        about=f"plays Segmind: an image takes {options.latency:g} s and costs nothing",
        port=options.port + 2,
        health="/_mock/health",
        command=[*command, "--latency", str(options.latency)],
        environment=_import_path(),
    )


def _function(options: Options) -> Service:
    return Service(
        name="function",
        about=f"the deployed source under functions-framework, {THREADS} threads",
        port=options.port,
        health="/health",
        command=_framework("generate_image", options.port),
        environment=function_environment(options),
    )


def _framework(target: str, port: int) -> list[str]:
    program = Path(sys.executable).with_name("functions-framework")
    return [str(program), "--source", str(SOURCE), "--target", target, "--port", str(port)]


def function_environment(options: Options) -> dict[str, str]:
    """The function's settings; what else the contract can set is taken from the environment of the run."""
    cap = MAX_PAID_IMAGES_PER_DAY if options.is_paid else MAX_IMAGES_PER_DAY
    vendor = {} if options.is_paid else {"SEGMIND_API_KEY": FAKE_KEY, "SEGMIND_BASE_URL": options.vendor_url}
    return {
        "HOST": "127.0.0.1",
        "THREADS": str(THREADS),
        "RESULTS_BUCKET": RESULTS,
        "STORAGE_EMULATOR_HOST": options.storage_url,
        "GOOGLE_APPLICATION_CREDENTIALS": str(options.key_file),
        "GOOGLE_CLOUD_PROJECT": "local-project",
        # Else the storage client fetches each bucket's metadata in the background, for traces that nobody records.
        "DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA": "true",
        "AUTH": "none",
        "MAX_IMAGES_PER_DAY": str(cap),
        "PLAYGROUND": "1",
        "CORS_ORIGINS": "*",
        "NO_PROXY": ",".join(filter(None, ("127.0.0.1", os.environ.get("NO_PROXY")))),
        **vendor,
    }


def _import_path() -> dict[str, str]:
    return {"PYTHONPATH": str(ROOT)}
