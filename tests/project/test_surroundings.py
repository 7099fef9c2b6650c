"""What ``tests/conftest.py`` and the settings of pytest promise every test."""

from __future__ import annotations

import os
import sys
import tempfile
import warnings
from pathlib import Path

import pytest


def test_airflow_home_is_a_folder_of_this_run() -> None:
    assert Path(os.environ["AIRFLOW_HOME"]).is_relative_to(tempfile.gettempdir())


def test_no_key_of_the_person_is_within_reach() -> None:
    assert [name for name in os.environ if name.startswith(("STRIPE_", "PAYRECORDS_", "AIRFLOW_CONN_"))] == []


@pytest.mark.parametrize("address", [("192.0.2.1", 443), ("2001:db8::1", 443, 0, 0), ("api.example.com", 443)])
def test_connecting_to_another_machine_is_refused(address: tuple[object, ...]) -> None:
    with pytest.raises(AssertionError, match="only connect to this machine"):
        sys.audit("socket.connect", None, address)


@pytest.mark.parametrize("address", [("127.0.0.1", 80), ("::1", 80, 0, 0), ("localhost", 80), "path/of.socket"])
def test_connecting_to_this_machine_is_let_through(address: object) -> None:
    sys.audit("socket.connect", None, address)


@pytest.mark.parametrize("category", [DeprecationWarning, PendingDeprecationWarning, FutureWarning, UserWarning])
def test_what_our_code_is_warned_of_is_an_error(category: type[Warning]) -> None:
    with pytest.raises(category, match="is gone tomorrow"):
        warnings.warn_explicit(
            "is gone tomorrow", category, "sensor.py", 1, "airflow_provider_payrecords.sensors.record"
        )
