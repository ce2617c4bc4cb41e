"""Both take a while and nobody changes them: once a session."""

import pytest

from tests.deploy.deployed import Deployment, deploy
from tests.deploy.evaluated import Evaluated, evaluate


@pytest.fixture(scope="session")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> Evaluated:
    """Give what Terraform makes of infra/; skips where it has no providers."""
    return evaluate(tmp_path_factory.mktemp("evaluated"))


@pytest.fixture(scope="session")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """Give the zip, unpacked and installed."""
    return deploy(tmp_path_factory.mktemp("deployed"))
