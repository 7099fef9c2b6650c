"""
``airflow payrecords …``: our command line with key, account and ledger from an Airflow connection.

Every ``airflow`` command calls ``get_cli_commands``, so it imports what Airflow has loaded anyway.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, NoReturn

COMMANDS = ("status", "export", "plan", "report", "replay", "review", "reconcile", "ledger", "request")


def get_cli_commands() -> list[Any]:
    """Return the one command that Airflow adds to its own."""
    from airflow.cli.cli_config import ActionCommand, Arg, lazy_load_command

    argument: Any = Arg  # has no types
    return [
        ActionCommand(
            name="payrecords",
            help="Look after payments that are reported to Stripe",
            description="What the payrecords command does, with API key, account and ledger of a connection. "
            "See airflow payrecords COMMAND --help.",
            func=lazy_load_command("airflow_provider_payrecords.airflow_cli.run"),
            args=(
                argument(("--conn-id",), help="Connection of type payrecords", default="payrecords_default"),
                argument(("command",), help="What to do", choices=COMMANDS),
                argument(("arguments",), help="Options of the command", nargs=argparse.REMAINDER),
            ),
        )
    ]


def run(arguments: argparse.Namespace) -> NoReturn:
    """Run one command of ours, and end the process with its exit code."""
    from airflow_provider_payrecords._airflow import AirflowException, AirflowRuntimeError
    from airflow_provider_payrecords.cli import app
    from airflow_provider_payrecords.core.errors import PayRecordsError, SettingsError

    asked = [arguments.command, *arguments.arguments]
    try:
        if not {"-h", "--help"} & set(asked):
            with _standard_output_kept():
                put_connection(arguments.conn_id, os.environ)
    except PayRecordsError as error:
        sys.exit(app.fail(error, asked))
    except (AirflowException, AirflowRuntimeError) as error:
        sys.exit(app.fail(SettingsError(f"Connection {arguments.conn_id!r} cannot be read: {error}"), asked))
    sys.exit(app.run(asked))


@contextmanager
def _standard_output_kept() -> Iterator[None]:
    """Send what Airflow logs meanwhile to the standard error: the standard output is ours, and may be JSON."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


def put_connection(conn_id: str, environment: MutableMapping[str, str]) -> None:
    """
    Put what the connection says where our commands look for it. An option still wins over it.

    Raises:
        SettingsError: The connection is incomplete or wrong.
    """
    from airflow_provider_payrecords.connection import read_extras
    from airflow_provider_payrecords.hooks.payrecords import PaymentRecordsHook

    hook = PaymentRecordsHook(conn_id)
    settings, extras = hook.settings, read_extras(hook.connection)
    given = {
        "STRIPE_API_KEY": settings.api_key.get_secret_value(),
        "PAYRECORDS_API_BASE": settings.api_base,
        "PAYRECORDS_ACCOUNT": settings.account,
        "PAYRECORDS_STRIPE_ACCOUNT": settings.stripe_account,
        "PAYRECORDS_STRIPE_VERSION": settings.stripe_version,
        "PAYRECORDS_RATE": None if extras.rate_limit is None else str(extras.rate_limit),
        "PAYRECORDS_LEDGER": hook.ledger_url(),
    }
    for name in given:
        environment.pop(name, None)
    environment.update({name: value for name, value in given.items() if value is not None})
