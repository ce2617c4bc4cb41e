"""A vendor that finishes every image in one moment, a storage that takes them all, and the callers who ordered them.

All of it in one event loop, since a thousand of each have to fit beside the function on a small machine; what is
measured is the function's memory alone.
"""

import asyncio
import json
import re
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count

Talk = Callable[[socket.socket, bytes, bytes], Awaitable[bool]]
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

    async def generate(self, connection: socket.socket, head: bytes, body: bytes) -> bool:
        """Play the vendor: answer when everybody is there, headers first."""
        del head, body
        self.waiting += 1
        if self.waiting == self.callers:
            self.everybody.set()
        await self.everybody.wait()
        answer = f"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: {len(self.image)}\r\n\r\n"
        await _send(connection, answer.encode())
        await _send(connection, self.image)
        return False

    async def store(self, connection: socket.socket, head: bytes, body: bytes) -> bool:
        """Play storage: take an upload, and see that an image in it is whole."""
        name = re.search(rb'"name": "([^"]+)"', body[:2000])
        told = name[1].decode() if name else head.split(b"\r\n", 1)[0].decode()
        if "/image." in told:
            (self.stored.add if self.image in body else self.broken.append)(told)
        answer = json.dumps({"name": told, "generation": str(next(self.generations)), "size": str(len(body))}).encode()
        start = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(answer)}\r\n\r\n"
        await _send(connection, start.encode() + answer)
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
    loop = asyncio.get_running_loop()
    async with asyncio.TaskGroup() as group:
        while True:
            connection, _ = await loop.sock_accept(listener)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            group.create_task(_converse(connection, talk))


def listener() -> socket.socket:
    """Return a socket that listens on a free port, for an event loop."""
    made = socket.create_server(("127.0.0.1", 0), backlog=2048)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL_BUFFER)
    made.setblocking(False)  # noqa: FBT003 - the only way to say it
    return made


async def _converse(connection: socket.socket, talk: Talk) -> None:
    with connection:
        data = b""
        while found := await _request(connection, data):
            head, body, data = found
            if not await talk(connection, head, body):
                return


async def _request(connection: socket.socket, data: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Return one request's head and body, and what came behind it; None where the client is done."""
    loop = asyncio.get_running_loop()
    received = bytearray(data)
    while b"\r\n\r\n" not in received:
        piece = await loop.sock_recv(connection, 65_536)
        if not piece:
            return None
        received += piece
    end = received.index(b"\r\n\r\n") + 4
    length = re.search(rb"content-length: (\d+)", bytes(received[:end]), re.IGNORECASE)
    whole = end + (int(length[1]) if length else 0)
    while len(received) < whole:
        piece = await loop.sock_recv(connection, 1 << 20)
        if not piece:
            return None
        received += piece
    return bytes(received[:end]), bytes(received[end:whole]), bytes(received[whole:])


async def _send(connection: socket.socket, data: bytes) -> None:
    await asyncio.get_running_loop().sock_sendall(connection, data)
