"""The Python lower bound: pooled urllib3, one media upload, no claim, no check, no signature."""

import os
import uuid
from typing import Any

import flask
import functions_framework
import urllib3

POOL = urllib3.PoolManager(maxsize=int(os.environ.get("THREADS", "200")))


@functions_framework.http
def generate(request: flask.Request) -> Any:  # noqa: ANN401 - what Flask takes
    """Call the vendor and upload the image."""
    image = POOL.request("POST", f"{os.environ['SEGMIND_BASE_URL']}/v1/x", body=request.get_data()).data
    name = f"{uuid.uuid4()}.png"
    url = f"{os.environ['BENCH_STORAGE']}/upload/storage/v1/b/results/o?uploadType=media&name={name}"
    POOL.request("POST", url, body=image, headers={"Content-Type": "image/png"})
    return {"name": name, "bytes": len(image)}


@functions_framework.http
def hello(request: flask.Request) -> Any:  # noqa: ANN401 - what Flask takes
    """Answer at once: what the server and Flask cost."""
    del request
    return {"status": "ok"}
