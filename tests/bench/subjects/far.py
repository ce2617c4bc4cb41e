"""Ours as it is deployed, where a signature takes as long as a call of IAM's signBlob: the far setting."""

import os
import time
from functools import cached_property

from imagegen import wiring
from imagegen.model import SignedUrl
from imagegen.ports import Signer
from imagegen.settings import Settings
from main import generate_image

__all__ = ["generate_image"]


class FarSigner:
    """Implements `ports.Signer`."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    def sign(self, name: str) -> SignedUrl:
        """Return the URL, later."""
        time.sleep(float(os.environ["BENCH_SIGN_SECONDS"]))
        return self._signer.sign(name)


class FarApp(wiring.App):
    """The deployed app but for its signer."""

    @cached_property
    def signer(self) -> Signer:
        """Signed URLs of results."""
        return FarSigner(super().signer)


wiring.use(FarApp(Settings.from_env(os.environ)))
