"""The plain function, as the samples of Segmind and Google have it. `TUNED=1`: clients and connections are shared."""

import datetime as dt
import os
import time
import uuid
from typing import Any

import flask
import functions_framework
import requests
from google.cloud import storage

TUNED = os.environ.get("TUNED") == "1"
THREADS = int(os.environ.get("THREADS", "8"))


def client() -> Any:  # noqa: ANN401 - the library is partly typed
    """Return a storage client, whose pool holds a connection a thread where it is tuned."""
    made = storage.Client(client_options={"api_endpoint": os.environ["BENCH_STORAGE"]})
    if TUNED:
        made._http.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=THREADS))
    return made


def session() -> requests.Session:
    """Return a session whose pool holds a connection a thread."""
    made = requests.Session()
    made.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=THREADS))
    return made


CLIENT = client() if TUNED else None
SESSION = session() if TUNED else None


@functions_framework.http
def generate(request: flask.Request) -> Any:  # noqa: ANN401 - what Flask takes
    """Call the vendor, upload the image, sign its URL."""
    data = request.get_json(silent=True) or {}
    if not data.get("promptText"):
        return {"error": "promptText is required"}, 400
    url, headers = f"{os.environ['SEGMIND_BASE_URL']}/v1/runway-gen4-image", {"x-api-key": "k"}
    answer = (SESSION or requests).post(url, json=data, headers=headers, timeout=180)
    if not answer.ok:
        return {"error": answer.text}, 502
    blob = (CLIENT or client()).bucket("results").blob(f"generated/{uuid.uuid4()}.png")
    blob.upload_from_string(answer.content, content_type="image/png")
    time.sleep(float(os.environ.get("BENCH_SIGN_SECONDS", "0")))  # signBlob, in the far setting
    signed = blob.generate_signed_url(version="v4", expiration=dt.timedelta(hours=1))
    return {"url": signed, "bytes": len(answer.content)}
