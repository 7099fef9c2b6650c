"""The deployment that the tests of one process share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.rig import Rig, celery_rig


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory, postgresql: str) -> Iterator[Rig]:
    """Return a running Airflow on Celery, Redis and PostgreSQL."""
    with celery_rig(tmp_path_factory.mktemp("celery"), postgresql) as running:
        yield running
