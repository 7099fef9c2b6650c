"""``payrecords demo``: run the example DAG through Airflow once, and tell what happened."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from airflow_provider_payrecords.cli import console
from airflow_provider_payrecords.demo.place import (
    AIRFLOW_CHILD,
    EXAMPLE_DAG,
    Place,
    environment,
    find_place,
    need_airflow,
    only_one,
)
from airflow_provider_payrecords.demo.process import run_to_its_end
from airflow_provider_payrecords.demo.sandbox import running
from airflow_provider_payrecords.demo.story import Story


def run_once(home: Path | None) -> tuple[Story, Place]:
    """
    Run the example DAG over the shipped extract.

    Raises:
        UsageError: There are no example DAGs here, or no Airflow, or another demo runs in this folder.
        DemoError: The sandbox or Airflow failed.
    """
    need_airflow()
    place = find_place(home)
    with only_one(place), running(place) as sandbox:
        before = sandbox.recorded()
        console.note(f"The sandbox answers at {sandbox.url} and holds {len(before)} payments.")
        console.note(f"Airflow runs {EXAMPLE_DAG} (about half a minute, a little more the first time) …")
        dag_run = _through_airflow(place, environment(place, sandbox.url))
        return Story(dag_run, before, sandbox.recorded()), place


def _through_airflow(place: Place, variables: dict[str, str]) -> dict[str, Any]:
    answer = place.home / "dag-run.json"
    answer.unlink(missing_ok=True)
    command = [sys.executable, "-m", AIRFLOW_CHILD, str(place.dags / f"{EXAMPLE_DAG}.py"), EXAMPLE_DAG, str(answer)]
    run_to_its_end("airflow", command, place.home, variables)
    told: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
    return told
