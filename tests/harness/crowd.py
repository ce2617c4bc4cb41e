"""In one event loop: a vendor that ends all calls in one moment, a storage that takes all, a thousand callers."""

import asyncio
import json
import re
import socket
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from itertools import count

Talk = Callable[[asyncio.StreamWriter, bytes, bytes], Awaitable[bool]]
SMALL_BUFFER = 64 * 1024  # the kernel would otherwise hold whole images for everybody who waits


@dataclass(slots=True)
class Crowd:
    """What happened."""

    image: bytes
    callers: int
    waiting: int = 0
    stored: set[str] = field(default_factory=set)
    broken: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    everybody: asyncio.Event = field(default_factory=asyncio.Event)
    generations: "count[int]" = field(default_factory=lambda: count(1))

    async def generate(self, caller: asyncio.StreamWriter, head: bytes, body: bytes) -> bool:
        """Play the vendor: answer when everybody is there, headers first."""
        del head, body
        self.waiting += 1
        if self.waiting == self.callers:
            self.everybody.set()
        await self.everybody.wait()
        answer = f"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: {len(self.image)}\r\n\r\n"
        await _send(caller, answer.encode())
        await _send(caller, self.image)
        return False

    async def store(self, caller: asyncio.StreamWriter, head: bytes, body: bytes) -> bool:
        """Play storage: take an upload, and see that an image in it is whole."""
        name = re.search(rb'"name": "([^"]+)"', body[:2000])
        told = name[1].decode() if name else head.split(b"\r\n", 1)[0].decode()
        if "/image." in told:
            (self.stored.add if self.image in body else self.broken.append)(told)
        answer = json.dumps({"name": told, "generation": str(next(self.generations)), "size": str(len(body))}).encode()
        start = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(answer)}\r\n\r\n"
        await _send(caller, start.encode() + answer)
        return True

    async def order(self, port: int) -> None:
        """Play one caller: order an image and take the answer."""
        body = json.dumps({"promptText": "a red bicycle", "referenceImages": []}).encode()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        start = "POST /v1/images HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
        writer.write(f"{start}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = await reader.read()
        writer.close()
        self.statuses.append(int(answer[9:12] or b"0"))


async def serve(listener: socket.socket, talk: Talk) -> None:
    """Hand every request on every connection to `talk`, for ever."""

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer), suppress(asyncio.IncompleteReadError, ConnectionError):
            more = True
            while more:
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
                more = await talk(writer, head, await reader.readexactly(int(length[1]) if length else 0))

    async with await asyncio.start_server(converse, sock=listener) as server:
        await server.serve_forever()


def listener() -> socket.socket:
    """Return a socket that listens on a free port, for an event loop."""
    made = socket.create_server(("127.0.0.1", 0), backlog=2048)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL_BUFFER)
    return made


async def _send(caller: asyncio.StreamWriter, data: bytes) -> None:
    """Send in pieces: what a caller does not take yet is not copied for it."""
    for start in range(0, len(data), SMALL_BUFFER):
        caller.write(data[start : start + SMALL_BUFFER])
        await caller.drain()
