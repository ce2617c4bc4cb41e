"""What was answered is kept, what was not is never half there, and one client cannot hold up another."""

import hashlib
import http.client
import re
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from pathlib import Path

import pytest
import requests
from google.cloud import storage as gcs

from local.storage import StorageServer
from tests.contract.storage_clients import client_of


def start(directory: Path) -> tuple[subprocess.Popen[str], str]:
    """Return a storage server in a process of its own, and its URL."""
    command = [sys.executable, "-m", "local.storage", "--directory", str(directory), "--bucket", "results"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    found = re.search(r"http://\S+", process.stdout.readline())
    assert found
    return process, found.group()


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_a_restart_keeps_objects_buckets_and_generations(tmp_path: Path) -> None:
    with StorageServer(tmp_path, buckets=["results"]) as server:
        server.create_bucket("more", cors=[])
        first = server.put("results", "a/ü", b"1", content_type="text/plain", key="value")
    with StorageServer(tmp_path, buckets=["results"]) as server:
        assert server.object("results", "a/ü") == first
        assert server.read("results", "a/ü") == b"1"
        assert requests.get(f"{server.url}/storage/v1/b/more", timeout=30).json()["cors"] == []
        assert server.put("results", "a/ü", b"2").generation > first.generation


def content_of(number: int) -> bytes:
    """Return bytes whose hash is their beginning, so that a torn object shows; some small, some not."""
    body = bytes([number % 256]) * (1 if number % 2 else 300_000)
    return hashlib.sha256(body).digest() + body


def upload_until_the_end(client: gcs.Client, worker: int, answered: list[str]) -> None:
    """Write object after object until the server is gone."""
    bucket = client.bucket("results")
    for number in range(10_000):
        name = f"{worker}/{number}"
        try:
            bucket.blob(name).upload_from_string(content_of(number), if_generation_match=0, retry=None)
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
            return
        answered.append(name)


def test_a_kill_loses_nothing_answered_and_leaves_nothing_torn(tmp_path: Path) -> None:
    """SIGKILL amid uploads, some rounds over: afterwards each answered object is there, and each object is whole."""
    answered: list[str] = []
    for round_number in range(3):
        process, url = start(tmp_path)
        client = client_of(url)
        with ThreadPoolExecutor(4) as pool:
            workers = range(round_number * 10, round_number * 10 + 4)
            futures = [pool.submit(upload_until_the_end, client, worker, answered) for worker in workers]
            wanted = len(answered) + 40
            while len(answered) < wanted and not any(future.done() for future in futures):
                threading.Event().wait(0.01)
            kill(process)
            for future in futures:
                future.result()
        client.close()
    with StorageServer(tmp_path) as server:
        names = server.objects("results")
        for name in names:
            data = server.read("results", name)
            assert data[:32] == hashlib.sha256(data[32:]).digest()
    assert set(answered) <= set(names)
    assert len(answered) >= 120
    assert len(list((tmp_path / "contents").iterdir())) == len(names)


def test_an_upload_that_breaks_off_leaves_nothing(storage: StorageServer) -> None:
    """The sender promises more than it sends, then closes."""
    path = "/upload/storage/v1/b/results/o?uploadType=media&name=torn"
    for framing in (
        "Content-Length: 100",
        "Content-Length: 5000000",
        "Content-Length: x",
        "Transfer-Encoding: chunked",
    ):
        with socket.create_connection(("127.0.0.1", int(storage.url.rsplit(":", 1)[1]))) as sender:
            head = f"POST {path} HTTP/1.1\r\nHost: x\r\n{framing}\r\n\r\n"
            sender.sendall(head.encode() + b"ff\r\n" + b"x" * 50)
            with suppress(OSError):
                sender.shutdown(socket.SHUT_WR)
                assert sender.recv(12) in {b"", b"HTTP/1.1 400"}  # an impossible length is refused at once
    assert storage.objects("results") == []


def test_a_resumable_upload_goes_on_where_it_broke_off(storage: StorageServer) -> None:
    data = hashlib.shake_128(b"x").digest(700_000)
    start_url = f"{storage.url}/upload/storage/v1/b/results/o?uploadType=resumable&name=one&ifGenerationMatch=0"
    session = requests.post(start_url, json={}, timeout=30).headers["Location"]
    chunk = requests.put(session, data=data[:262_144], headers={"Content-Range": "bytes 0-262143/700000"}, timeout=30)
    assert (chunk.status_code, chunk.headers["Range"]) == (308, "bytes=0-262143")
    status = requests.put(session, headers={"Content-Range": "bytes */700000"}, timeout=30)
    assert (status.status_code, status.headers["Range"]) == (308, "bytes=0-262143")
    assert storage.objects("results") == []
    rest = {"Content-Range": "bytes 200000-699999/700000"}
    done = requests.put(session, data=data[200_000:], headers=rest, timeout=30)
    assert done.json()["size"] == "700000"
    assert storage.read("results", "one") == data
    again = requests.put(session, headers={"Content-Range": "bytes */700000"}, timeout=30)
    assert again.json()["generation"] == done.json()["generation"]


def test_a_chunk_that_leaves_a_gap_is_refused(storage: StorageServer) -> None:
    url = f"{storage.url}/upload/storage/v1/b/results/o?uploadType=resumable&name=one"
    session = requests.post(url, json={}, timeout=30).headers["Location"]
    for header in ("bytes 5-9/10", "bytes 0-9", "nonsense"):
        response = requests.put(session, data=b"x" * 5, headers={"Content-Range": header}, timeout=30)
        assert response.status_code == 400


def test_a_download_survives_deletion_and_overwriting(storage: StorageServer) -> None:
    data = bytes(4_000_000)
    storage.put("results", "one", data)
    url = f"{storage.url}/download/storage/v1/b/results/o/one?alt=media"
    with requests.get(url, stream=True, timeout=30) as response:
        storage.put("results", "one", b"new")
        requests.delete(f"{storage.url}/storage/v1/b/results/o/one", timeout=30).raise_for_status()
        assert response.content == data


def test_a_stalled_client_holds_up_nobody(storage: StorageServer) -> None:
    """Clients that connect and say nothing, half a request or half a body; a whole request is answered meanwhile."""
    address = ("127.0.0.1", int(storage.url.rsplit(":", 1)[1]))
    beginnings = [b"", b"GET / HT", b"POST /upload/storage/v1/b/results/o HTTP/1.1\r\nContent-Length: 9\r\n\r\nx"]
    stalled = [socket.create_connection(address) for _ in range(10) for _ in beginnings]
    for number, connection in enumerate(stalled):
        connection.sendall(beginnings[number % len(beginnings)])
    assert requests.get(f"{storage.url}/storage/v1/b/results", timeout=30).status_code == 200
    for connection in stalled:
        connection.close()


@pytest.mark.parametrize("size", [10, 3_000_000])
def test_a_refused_body_is_drained_so_the_connection_goes_on(storage: StorageServer, size: int) -> None:
    """The answer comes before the body was needed; the next call on the connection must not meet its rest."""
    connection = http.client.HTTPConnection(storage.url.removeprefix("http://"), timeout=30)
    for _ in range(2):
        connection.request("PUT", "/results/unsigned", body=b"GET / HTTP/1.1\r\n\r\n" * (size // 18))
        refused = connection.getresponse()
        assert (refused.status, b"AccessDenied" in refused.read()) == (403, True)
        connection.request("GET", "/storage/v1/b/results")
        found = connection.getresponse()
        assert (found.status, b"storage#bucket" in found.read()) == (200, True)
    connection.close()


@pytest.mark.parametrize("wrong", ["folder", "port", "switch"])
def test_a_server_that_cannot_start_says_why_in_one_line(tmp_path: Path, storage: StorageServer, wrong: str) -> None:
    """Another has its folder or its port, or a switch makes no sense."""
    port = storage.url.rsplit(":", 1)[1]
    options = {"port": ["--port", port], "switch": ["--notify", "http://127.0.0.1:9", "--deliveries", "0"]}.get(
        wrong, []
    )
    command = [sys.executable, "-m", "local.storage", "--directory", str(tmp_path), *options]
    with StorageServer(tmp_path) if wrong == "folder" else nullcontext():
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr.count("\n")) == (1, "", 1)
    assert {"folder": "locked", "port": port, "switch": "at least once"}[wrong] in ran.stderr
