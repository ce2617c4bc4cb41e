"""The vendor and the storage of a benchmark: fast, out of process, and patient by order.

`python -m tests.bench.world vendor|storage PORT SECONDS`: SECONDS pass before the first byte of each answer. Large
bodies are received and thrown away. Not the fakes of the tests: those check much, and would be what is measured.
"""

import asyncio
import bisect
import json
import re
import socket
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from itertools import count
from urllib.parse import parse_qs, unquote, urlsplit

IMAGE_BYTES = 2_000_000
_PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x05\x00\x00\x00\x02\xd0\x08\x02\x00\x00\x00"
IMAGE = _PNG.ljust(IMAGE_BYTES - 12, b"x") + b"\x00\x00\x00\x00IEND\xaeB`\x82"
_KEPT = 64 * 1024
_PAGE = 1000
Answer = tuple[int, str, bytes]
Handler = Callable[[str, str, bytes], Awaitable[Answer]]


class Vendor:
    """Answers each call with one image of 2 MB."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    async def __call__(self, method: str, target: str, body: bytes) -> Answer:
        """Return the image."""
        del method, target, body
        await asyncio.sleep(self._seconds)
        return 200, "image/png", IMAGE


class Storage:
    """Enough of the JSON API for write-once objects, a token endpoint, and counts of what was asked for."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._objects: dict[str, tuple[int, bytes]] = {}
        self._names: list[str] = []
        self._generations = count(1)
        self._calls: Counter[str] = Counter()

    async def __call__(self, method: str, target: str, body: bytes) -> Answer:
        """Do what is asked, after the delay."""
        parts = urlsplit(target)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        if parts.path == "/bench":
            return self._control(query)
        await asyncio.sleep(self._seconds)
        if parts.path == "/token":
            return _json(200, {"access_token": "t", "expires_in": 3600, "token_type": "Bearer"})
        if parts.path.startswith("/upload/"):
            return self._insert(query, body)
        name = unquote(parts.path.partition("/o/")[2])
        return self._other(method, name, query)

    def _control(self, query: dict[str, str]) -> Answer:
        made = query.get("name", "jobs/{:026}/result.json")
        for number in range(int(query.get("preload", 0))):
            self._put(made.format(number), b"{}")
        told, self._calls = dict(self._calls), Counter()
        return _json(200, told)

    def _insert(self, query: dict[str, str], body: bytes) -> Answer:
        found = re.search(rb'"name": ?"([^"]+)"', body)
        name = found[1].decode() if found else query["name"]
        if name in self._objects and query.get("ifGenerationMatch") == "0":
            self._calls["refused create"] += 1
            return _json(412, {})
        self._calls["create"] += 1
        self._put(name, body.partition(b"\r\n\r\n")[2].partition(b"\r\n\r\n")[2].rpartition(b"\r\n--")[0])
        return _json(200, self._resource(name))

    def _put(self, name: str, data: bytes) -> None:
        if name not in self._objects:
            bisect.insort(self._names, name)
        self._objects[name] = (next(self._generations), data)

    def _other(self, method: str, name: str, query: dict[str, str]) -> Answer:
        if not name:
            self._calls["list"] += 1
            return _json(200, self._page(query.get("prefix", ""), query.get("pageToken", "")))
        self._calls["delete" if method == "DELETE" else "read"] += 1
        if name not in self._objects:
            return _json(404, {})
        if method == "DELETE":
            del self._objects[name]
            del self._names[bisect.bisect_left(self._names, name)]
            return 204, "text/plain", b""
        if query.get("alt") == "media":
            return 200, "application/octet-stream", self._objects[name][1]
        return _json(200, self._resource(name))

    def _page(self, prefix: str, token: str) -> dict[str, object]:
        start = bisect.bisect_left(self._names, max(prefix, token))
        names = self._names[start : start + _PAGE + 1]
        found = [name for name in names if name.startswith(prefix)]
        more = {"nextPageToken": found[_PAGE]} if len(found) > _PAGE else {}
        return {"items": [self._resource(name) for name in found[:_PAGE]], **more}

    def _resource(self, name: str) -> dict[str, object]:
        generation, data = self._objects[name]
        times = "2026-01-01T00:00:00.000Z"
        return {"name": name, "generation": str(generation), "size": str(len(data)), "timeCreated": times}


def _json(status: int, value: object) -> Answer:
    return status, "application/json", json.dumps(value).encode()


async def _converse(connection: socket.socket, handler: Handler) -> None:
    loop, scratch = asyncio.get_running_loop(), bytearray(1 << 18)
    data = b""
    with connection:
        while True:
            while b"\r\n\r\n" not in data:
                piece = await loop.sock_recv(connection, 65_536)
                if not piece:
                    return
                data += piece
            head, _, body = data.partition(b"\r\n\r\n")
            length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
            left = (int(length[1]) if length else 0) - len(body)
            while left > 0:
                received = await loop.sock_recv_into(connection, memoryview(scratch)[: min(left, len(scratch))])
                if not received:
                    return
                if len(body) < _KEPT:
                    body += scratch[:received]
                left -= received
            method, target, _ = head.split(b" ", 2)
            status, kind, answer = await handler(method.decode(), target.decode(), body)
            told = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(answer)}\r\n\r\n".encode()
            for part in (told, answer) if len(answer) > _KEPT else (told + answer,):
                await loop.sock_sendall(connection, part)
            data = b""


async def serve(port: int, handler: Handler) -> None:
    """Serve for ever."""
    listener = socket.create_server(("127.0.0.1", port), backlog=2048)
    listener.setblocking(False)  # noqa: FBT003 - the only way to say it
    loop, running = asyncio.get_running_loop(), set[asyncio.Task[None]]()
    while True:
        connection, _ = await loop.sock_accept(listener)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        task = asyncio.create_task(_quietly(connection, handler))
        running.add(task)
        task.add_done_callback(running.discard)


async def _quietly(connection: socket.socket, handler: Handler) -> None:
    try:
        await _converse(connection, handler)
    except OSError:
        return  # the client went away


def main() -> None:
    """Serve what the command line says."""
    what, port, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    asyncio.run(serve(port, Vendor(seconds) if what == "vendor" else Storage(seconds)))


if __name__ == "__main__":
    main()
