"""The cells of the tables: each starts what it needs, loads it, and returns figures."""

import http.client
import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.bench.load import BODY, Ask, Load, run
from tests.bench.subject import FAR, OURS, SWEEP, Kind, Process, subject, world

NEAR_VENDOR_SECONDS = 1.0
WAITED_SECONDS = 30.0
BAD_REQUEST, UNAUTHENTICATED, LIMIT_REACHED = 400, 401, 429
FAR_VENDOR_SECONDS, FAR_STORAGE_SECONDS, FAR_SIGN_SECONDS = 1.0, 0.040, 0.060


@dataclass(frozen=True, slots=True)
class Cell:
    """Milliseconds that a subject adds to a direct call, and what it used."""

    p50: float
    p99: float
    images: int
    failed: int
    per_second: float
    cpu_ms: float
    peak_mib: float
    steps: dict[str, float]  # of one request, as Server-Timing tells them


def near(kind: Kind, in_flight: int, seconds: float, delay: float, folder: Path, spread: float = 0.0) -> Cell:
    """Storage answers at once: what CPU costs. First requests arrive evenly over `spread` seconds."""
    with (
        world("vendor", delay, folder) as vendor,
        world("storage", 0.0, folder) as storage,
        subject(kind, vendor, storage, folder) as under,
    ):
        return _measure(kind.ask(under.port), under, in_flight, seconds, delay, spread)


def far(kind: Kind, in_flight: int, seconds: float, folder: Path) -> Cell:
    """Storage and signatures take as long as in the cloud: what a caller feels."""
    with (
        world("vendor", FAR_VENDOR_SECONDS, folder) as vendor,
        world("storage", FAR_STORAGE_SECONDS, folder) as storage,
    ):
        kind = FAR if kind.path == OURS.path else kind
        with subject(kind, vendor, storage, folder, FAR_SIGN_SECONDS) as under:
            return _measure(kind.ask(under.port), under, in_flight, seconds, FAR_VENDOR_SECONDS)


def direct(in_flight: int, seconds: float, folder: Path) -> Load:
    """The load generator against the vendor alone: far above what is measured, or the figures are its own."""
    with world("vendor", 0.0, folder) as vendor:
        return run(Ask(vendor.port), in_flight, seconds)


def stored(in_flight: int, seconds: float, folder: Path) -> Load:
    """The load generator against storage alone, with uploads of 2 MB."""
    with world("storage", 0.0, folder) as storage:
        body = b"\r\n\r\n" * 2 + b"x" * 2_000_000
        path = "/upload/storage/v1/b/results/o?uploadType=media&name=x"
        return run(Ask(storage.port, path, body=body), in_flight, seconds)


def starts(kind: Kind, path: str, status: int, folder: Path) -> tuple[float, float]:
    """Return the milliseconds from start to the first answer at `path`, and to the first image."""
    with world("vendor", 0.0, folder) as vendor, world("storage", 0.0, folder) as storage:
        with subject(kind, vendor, storage, folder) as under:
            first = _answered(under, Ask(under.port, path, "GET", b"", status=status))
        with subject(kind, vendor, storage, folder) as under:
            return first, _answered(under, kind.ask(under.port))


def growth(jobs: int, seconds: float, folder: Path) -> list[tuple[float, float]]:
    """Return, after so many earlier jobs: of an image, a replay and a GET the p50 in ms and storage calls."""
    with world("vendor", 0.0, folder) as vendor, world("storage", 0.0, folder) as storage:
        _storage_calls(storage, f"/bench?preload={jobs}")
        with subject(OURS, vendor, storage, folder) as under:
            keyed = Ask(under.port, OURS.path, headers="Idempotency-Key: bench\r\n")
            warm = run(keyed, 1, 0.2)
            image_id = json.loads(warm.sample.partition(b"\r\n\r\n")[2])["id"]
            shown = Ask(under.port, f"{OURS.path}/{image_id}", "GET", b"")
            return [_with_calls(storage, ask, seconds) for ask in (Ask(under.port, OURS.path), keyed, shown)]


def refusal(kind: Kind, status: int, seconds: float, folder: Path, preload: str = "") -> tuple[float, float]:
    """Return the p50 in ms and the storage calls of a refusal with that status; of hello world, its answer's."""
    with (
        world("vendor", 0.0, folder) as vendor,
        world("storage", 0.0, folder) as storage,
        subject(kind, vendor, storage, folder) as under,
    ):
        _storage_calls(storage, f"/bench?{preload}")
        ask = Ask(under.port, kind.path, body=b"{}" if status == BAD_REQUEST else BODY, status=status)
        run(ask, 1, 0.2)
        return _with_calls(storage, ask, seconds)


def sweep(jobs: int, folder: Path) -> tuple[float, float]:
    """Return the ms and the storage calls of a sweep after so many jobs that have ended."""
    with world("vendor", 0.0, folder) as vendor, world("storage", 0.0, folder) as storage:
        _storage_calls(storage, f"/bench?preload={jobs}")
        with subject(SWEEP, vendor, storage, folder) as under:
            ask = Ask(under.port, SWEEP.path, body=b"{}")
            run(ask, 1, 0.2)
            return _with_calls(storage, ask, 0.5)


def waiting(folder: Path) -> dict[str, int]:
    """Return the storage calls of one duplicate that waits at another instance for a generation of 30 s, by kind."""
    with (
        world("vendor", WAITED_SECONDS, folder) as vendor,
        world("storage", 0.0, folder) as storage,
        subject(OURS, vendor, storage, folder) as first,
        subject(OURS, vendor, storage, folder) as second,
        ThreadPoolExecutor() as callers,
    ):
        key = "Idempotency-Key: waiting\r\n"
        callers.submit(run, Ask(first.port, OURS.path, headers=key), 1, 0.1)
        time.sleep(2.0)
        _counts(storage, "/bench")
        follower = callers.submit(run, Ask(second.port, OURS.path, headers=key), 1, 0.1)
        time.sleep(WAITED_SECONDS - 3.0)
        counts = _counts(storage, "/bench")
        assert follower.result().failed == 0
        return counts


def _with_calls(storage: Process, ask: Ask, seconds: float) -> tuple[float, float]:
    _storage_calls(storage, "/bench")
    load = run(ask, 1, seconds)
    return load.percentile(0.5), _storage_calls(storage, "/bench") / max(len(load.seconds), 1)


def _measure(ask: Ask, under: Process, in_flight: int, seconds: float, delay: float, spread: float = 0.0) -> Cell:
    run(ask, min(in_flight, 8), 0.1)  # imports, connections, the key
    before = under.cpu_seconds()
    load = run(ask, in_flight, seconds, spread)
    images = len(load.seconds)
    return Cell(
        p50=load.percentile(0.5) - delay * 1000,
        p99=load.percentile(0.99) - delay * 1000,
        images=images,
        failed=load.failed,
        per_second=images / load.elapsed,
        cpu_ms=(under.cpu_seconds() - before) * 1000 / max(images, 1),
        peak_mib=under.peak_mib(),
        steps=_steps(load.sample),
    )


def _steps(sample: bytes) -> dict[str, float]:
    told = re.search(rb"server-timing: ([^\r]+)", sample.partition(b"\r\n\r\n")[0], re.IGNORECASE)
    found = re.findall(r"(\w+);dur=([\d.]+)", told[1].decode()) if told else []
    return {name: float(value) for name, value in found if name != "total"}


def _answered(under: Process, ask: Ask) -> float:
    """Return milliseconds since the start, once that request is answered well."""
    load = Load()
    while not load.seconds:
        load = run(ask, 1, 0.001)
        if load.failed > 1000:
            raise RuntimeError(load.sample[:200])
    return (under.start_seconds + load.elapsed) * 1000


def _storage_calls(storage: Process, path: str) -> int:
    return sum(_counts(storage, path).values())


def _counts(storage: Process, path: str) -> dict[str, int]:
    connection = http.client.HTTPConnection("127.0.0.1", storage.port, timeout=60)
    connection.request("GET", path)
    counts: dict[str, int] = json.loads(connection.getresponse().read())
    connection.close()
    return counts
