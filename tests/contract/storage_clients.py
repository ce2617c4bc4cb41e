"""The real google-cloud-storage client, pointed at a server of this machine."""

from dataclasses import dataclass

from google.auth.credentials import AnonymousCredentials
from google.cloud import storage as gcs


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
