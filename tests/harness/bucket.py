"""What the results bucket holds, in the words of docs/contract.md."""

from typing import Any

from local.storage import StorageServer

RESULTS = "results"


class Results:
    """The results bucket, seen by a test."""

    def __init__(self, storage: StorageServer) -> None:
        self.storage = storage

    def job(self, image_id: str) -> list[str]:
        """Return the names of a job's objects, without their folder."""
        prefix = f"jobs/{image_id}/"
        return [name.removeprefix(prefix) for name in self.storage.objects(RESULTS, prefix)]

    def jobs(self) -> dict[str, list[str]]:
        """Return every job's objects."""
        ids = {name.split("/")[1] for name in self.storage.objects(RESULTS, "jobs/")}
        return {image_id: self.job(image_id) for image_id in sorted(ids)}

    def only_job(self) -> tuple[str, list[str]]:
        """Return the id and the objects of the one job there is."""
        ((image_id, names),) = self.jobs().items()
        return image_id, names

    def images(self) -> list[str]:
        return [name for name in self.storage.objects(RESULTS, "jobs/") if "/image." in name]

    def slots(self) -> list[str]:
        return self.storage.objects(RESULTS, "spend/")

    def read(self, image_id: str, name: str) -> bytes:
        return self.storage.read(RESULTS, f"jobs/{image_id}/{name}")

    def json(self, image_id: str, name: str) -> Any:  # noqa: ANN401 - any JSON
        return self.storage.json(RESULTS, f"jobs/{image_id}/{name}")
