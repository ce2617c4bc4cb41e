"""Servers that behave as no library would: each connection is handed to a function of the test."""

import io
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from PIL import Image

Handler = Callable[[socket.socket, bytes], None]


def hang_up(connection: socket.socket, request: bytes) -> None:
    """Answer nothing."""
    del connection, request


def wait(connection: socket.socket, request: bytes) -> None:
    """Answer nothing, for as long as the client stays."""
    del request
    connection.recv(1)


def answer(head: str, body: bytes = b"") -> Handler:
    """Return a handler that answers so, and closes."""
    text = "\r\n".join([*head.split("\n"), f"Content-Length: {len(body)}", "", ""]).encode()

    def handler(connection: socket.socket, request: bytes) -> None:
        del request
        connection.sendall(text + body)

    return handler


def polite(head: str, body: bytes = b"") -> Handler:
    """Answer, then hear the client out: a close under a request that is still coming would reset the answer away."""

    def handler(connection: socket.socket, request: bytes) -> None:
        answer(f"{head}\nConnection: close", body)(connection, request)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65_536):
            pass

    return handler


class Stub:
    """A TCP server on this machine that remembers its connections and the heads of requests it was sent."""

    def __init__(self, handler: Handler = hang_up, tls: ssl.SSLContext | None = None) -> None:
        self._handler, self._tls = handler, tls
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.connections = 0
        self.requests: list[bytes] = []

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        try:
            with self._secured(connection) as secured:
                request = _head_of(secured)
                if request:
                    self.requests.append(request)
                    self._handler(secured, request)
        except OSError:
            return  # the client went away, or would not speak our TLS

    def _secured(self, connection: socket.socket) -> socket.socket:
        if self._tls is None:
            return connection
        with connection:
            return self._tls.wrap_socket(connection, server_side=True)


def _head_of(connection: socket.socket) -> bytes:
    """Read an HTTP request's head and as much of its body as came with it; nothing for anything else."""
    head = b""
    while b"\r\n\r\n" not in head:
        piece = connection.recv(65_536)
        if not piece or not head + piece >= b"A":
            return b""
        head += piece
    return head


def jpeg() -> bytes:
    """Return an image of 61 by 33 pixels."""
    made = io.BytesIO()
    Image.effect_noise((61, 33), 90).save(made, "JPEG")
    return made.getvalue()


def self_signed(folder: Path) -> ssl.SSLContext:
    """Return a server's TLS context with a certificate that no client trusts."""
    from datetime import UTC, datetime, timedelta  # noqa: PLC0415 - one test's need

    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(1))
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    (folder / "server.pem").write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context
