"""What the doors need of the rest, made once a process and handed to all three."""

from dataclasses import dataclass

from imagegen.doors.answers import Answers
from imagegen.pipeline.assembly import Pipeline
from imagegen.ports import Objects, Staging
from imagegen.references.upload_urls import SignPut


@dataclass(frozen=True, slots=True)
class Core:
    """The parts behind the doors. `uploads` and `sign_put` are None where no uploads bucket is configured."""

    pipeline: Pipeline
    answers: Answers
    staging: Staging
    uploads: Objects | None = None
    sign_put: SignPut | None = None
