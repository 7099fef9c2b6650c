"""What an example needs around it: the fixtures that users get."""

from __future__ import annotations

from airflow_provider_payrecords.testing.fixtures import *  # noqa: F403 - fixtures are found by their names
