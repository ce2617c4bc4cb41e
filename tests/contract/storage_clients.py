"""The real google-cloud-storage client, pointed at a server of this machine; URLs that it signs; calls on them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import requests
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage as gcs
from google.oauth2 import service_account

from local.storage import StorageServer

NAME = "jobs/a b/ü+%.jpg"
DATA = b"0123456789"


@dataclass(frozen=True, slots=True)
class Cloud:
    """One storage server, a real client of it and a bucket of the test's own."""

    url: str
    client: gcs.Client
    bucket: gcs.Bucket


def client_of(url: str) -> gcs.Client:
    """Return the real client, pointed at `url`."""
    options = {"api_endpoint": url}
    return gcs.Client(project="local", credentials=AnonymousCredentials(), client_options=options)


@dataclass(frozen=True)
class Signer:
    """Signs for one bucket of one server, with one account's key."""

    bucket: gcs.Bucket
    credentials: service_account.Credentials
    server: str

    def url(self, name: str = NAME, *, minutes: float = 10, **options: object) -> str:
        signed: str = self.bucket.blob(name).generate_signed_url(
            version="v4",
            expiration=timedelta(minutes=minutes),
            credentials=self.credentials,
            api_access_endpoint=self.server,
            **options,
        )
        return signed


def signer_for(server: StorageServer, key: Path) -> Iterator[Signer]:
    credentials = service_account.Credentials.from_service_account_file(key)
    client = client_of(server.url)
    yield Signer(client.bucket("results"), credentials, server.url)
    client.close()


def refusal(response: requests.Response) -> tuple[int, str]:
    """Return status and code of an XML error."""
    assert response.headers["Content-Type"] == "application/xml; charset=UTF-8"
    return response.status_code, ET.fromstring(response.content).findtext("Code") or ""  # noqa: S314  # our own


def call(method: str, url: str, **options: object) -> requests.Response:
    return requests.request(method, url, timeout=30, **options)  # type: ignore[arg-type]  # passed on as they are
