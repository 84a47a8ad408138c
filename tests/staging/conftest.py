"""What tests of staging have in common."""

from collections.abc import Callable
from pathlib import Path

import pytest

from audit import runner
from audit.staging import flow
from tests.staging.staging_factories import Cluster


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Locks of their own: other tests stage hosts of the same names."""
    monkeypatch.setattr("audit.state.directory", lambda: tmp_path / "state")


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Cluster]:
    """One that takes every deployment, but for those that are named."""

    def make(*fails: str) -> Cluster:
        made = Cluster(*fails)
        monkeypatch.setattr(flow, "roll_out", made.roll_out)
        monkeypatch.setattr(runner, "run", made.audit)
        return made

    return make
