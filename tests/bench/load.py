"""A closed loop of callers: each sends a request on a connection of its own, reads the answer, and sends the next."""

import asyncio
import json
import re
import socket
import time
from dataclasses import dataclass, field

BODY = json.dumps({"promptText": "a red bicycle", "referenceImages": []}).encode()

_KEPT = 64 * 1024  # of an answer


@dataclass(frozen=True, slots=True)
class Ask:
    """One kind of request."""

    port: int
    path: str = "/v1/images"
    method: str = "POST"
    body: bytes = BODY
    headers: str = ""
    status: int = 200

    def encoded(self) -> bytes:
        """Return it as it goes over the wire."""
        typed = f"Content-Type: application/json\r\nContent-Length: {len(self.body)}\r\n" if self.body else ""
        head = f"{self.method} {self.path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n{typed}{self.headers}\r\n"
        return head.encode() + self.body


@dataclass(slots=True)
class Load:
    """What came of it: seconds of each answer, and how many were not what was expected."""

    seconds: list[float] = field(default_factory=list)
    failed: int = 0
    elapsed: float = 0.0
    sample: bytes = b""

    def percentile(self, share: float) -> float:
        """Return that percentile in milliseconds."""
        found = sorted(self.seconds)
        return found[min(len(found) - 1, int(share * len(found)))] * 1000 if found else float("nan")


async def _call(ask: bytes, port: int, scratch: bytearray) -> bytes:
    """Return the start of the answer; the rest is read and thrown away."""
    loop = asyncio.get_running_loop()
    with socket.socket() as connection:
        connection.setblocking(False)  # noqa: FBT003 - the only way to say it
        await loop.sock_connect(connection, ("127.0.0.1", port))
        await loop.sock_sendall(connection, ask)
        start, total, whole = b"", 0, 0
        while (not whole or total < whole) and (received := await loop.sock_recv_into(connection, scratch)):
            total += received
            if len(start) < _KEPT:
                start += scratch[:received]
                whole = whole or _length(start)
        return start


def _length(start: bytes) -> int:
    """Return how many bytes an answer has, head included; 0 while its head is not whole."""
    head, found, _ = start.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
    return len(head) + 4 + int(length[1]) if found and length else 0


async def _caller(ask: Ask, until: float, load: Load, first_pause: float) -> None:
    scratch, encoded = bytearray(1 << 18), ask.encoded()
    await asyncio.sleep(first_pause)
    while (begun := time.perf_counter()) < until:
        try:
            load.sample = await _call(encoded, ask.port, scratch)
        except OSError:
            load.sample = b""
        if load.sample[9:12] == str(ask.status).encode():
            load.seconds.append(time.perf_counter() - begun)
        else:
            load.failed += 1


async def _run(ask: Ask, callers: int, seconds: float, spread: float) -> Load:
    load, begun = Load(), time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(callers):
            group.create_task(_caller(ask, begun + seconds, load, spread * number / callers))
    load.elapsed = time.perf_counter() - begun
    return load


def run(ask: Ask, callers: int, seconds: float, spread: float = 0.0) -> Load:
    """Keep `callers` requests in flight for so long; their first ones are spread evenly over `spread` seconds."""
    return asyncio.run(_run(ask, callers, seconds, spread))
