"""A thousand images that end in the same moment: all of them are stored, and memory stays where it is promised."""

import asyncio
import io
import random
from pathlib import Path

import pytest
from PIL import Image

from tests.harness.crowd import Crowd, listener, serve
from tests.harness.server import Server

CALLERS = 1_000
IMAGE_BYTES = 2_000_000
LIMIT_MIB = 256
GATE = 16


def image() -> bytes:
    """Return a whole JPEG of two megabytes."""
    noise = Image.frombytes("RGB", (1280, 720), random.Random(1).randbytes(1280 * 720 * 3))
    out = io.BytesIO()
    noise.save(out, "jpeg", quality=90)
    data = out.getvalue()
    comment = b"\xff\xfe\xff\xff" + b"x" * 65_533
    padding = comment * ((IMAGE_BYTES - len(data)) // len(comment) + 1) if len(data) < IMAGE_BYTES else b""
    return data[:2] + padding + data[2:]


async def play(crowd: Crowd, directory: Path) -> float:
    """Let the crowd order at one function, and return the function's peak memory in MiB."""
    vendor, storage = listener(), listener()
    env = {
        "SEGMIND_API_KEY": "SG_key",
        "SEGMIND_BASE_URL": f"http://127.0.0.1:{vendor.getsockname()[1]}",
        "SEGMIND_HISTORY_URL": "",
        "RESULTS_BUCKET": "results",
        "STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{storage.getsockname()[1]}",
        "GOOGLE_CLOUD_PROJECT": "local-project",
        "MAX_BODIES_IN_MEMORY": str(GATE),
        "THREADS": str(crowd.callers),
    }
    servers = [asyncio.create_task(serve(vendor, crowd.generate)), asyncio.create_task(serve(storage, crowd.store))]
    server = Server("generate_image", env, directory)
    try:
        await asyncio.to_thread(server.start)
        async with asyncio.TaskGroup() as group:
            for _ in range(crowd.callers):
                group.create_task(crowd.order(server.port))
        return server.peak_bytes() / 2**20
    finally:
        server.kill()
        for task in servers:
            task.cancel()
        await asyncio.gather(*servers, return_exceptions=True)
        vendor.close()
        storage.close()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_a_thousand_images_that_end_together(tmp_path: Path) -> None:
    """Every caller gets an image, every image is stored whole, and the worker never holds more than 256 MiB."""
    crowd = Crowd(image(), CALLERS)
    peak = asyncio.run(play(crowd, tmp_path))
    assert crowd.statuses == [200] * CALLERS
    assert (len(crowd.stored), crowd.broken) == (CALLERS, [])
    assert peak < LIMIT_MIB
