"""Which event loop a run gets: ``transport/loop.py``."""

from __future__ import annotations

import asyncio
import sys

import pytest
import uvloop

from airflow_provider_payrecords.transport.loop import run_in_own_loop


async def which() -> type[asyncio.AbstractEventLoop]:
    return type(asyncio.get_running_loop())


def test_a_run_gets_uvloop_where_it_is_installed() -> None:
    assert run_in_own_loop(which()) is uvloop.Loop


def test_a_run_gets_the_loop_of_asyncio_where_it_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert run_in_own_loop(which()) is not uvloop.Loop


def test_other_loops_stay_what_they_were() -> None:
    run_in_own_loop(which())
    assert asyncio.run(which()) is not uvloop.Loop
