"""``payrecords demo``: the whole product on this machine, nothing sent anywhere else."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from airflow_provider_payrecords.cli import console
from airflow_provider_payrecords.cli.exits import ExitCode
from airflow_provider_payrecords.cli.options import JsonFlag


def demo(
    serve: Annotated[
        bool, typer.Option("--serve", help="Open Airflow's pages with all examples, until Ctrl-C.")
    ] = False,
    home: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keep everything here; by default .payrecords in the checkout.")
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="PORT", help="Of Airflow's pages; by default any free one.")
    ] = 0,
    json: JsonFlag = False,
) -> None:
    """
    Run an example DAG through Airflow against a local sandbox, and show what happened.

    Run it twice: the second run reports nothing, because all is recorded already. Needs Airflow and the checkout.
    """
    from airflow_provider_payrecords.demo.process import all_ended

    with all_ended():
        if serve:
            _serve(home, port)
        else:
            _run_once(home, json)


def _serve(home: Path | None, port: int) -> None:
    from airflow_provider_payrecords.demo.serve import serve

    with suppress(KeyboardInterrupt):  # the way to end it; by now everything is stopped
        serve(home, port)
    console.say("Stopped.")


def _run_once(home: Path | None, json: bool) -> None:
    from airflow_provider_payrecords.demo.once import run_once
    from airflow_provider_payrecords.demo.story import tell

    story, place = run_once(home)
    code = ExitCode.CONFIRMED if story.is_good else ExitCode.REJECTED
    with console.reader_may_leave():
        if json:
            console.say_json(story.as_json())
        else:
            tell(story, place)
    raise typer.Exit(code)
