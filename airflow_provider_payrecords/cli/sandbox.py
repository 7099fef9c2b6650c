"""``payrecords sandbox``: a local Stripe for these calls, until Ctrl-C."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from airflow_provider_payrecords.cli import console
from airflow_provider_payrecords.cli.inputs import read_document
from airflow_provider_payrecords.cli.options import JsonFlag
from airflow_provider_payrecords.core.errors import UsageError

if TYPE_CHECKING:
    from airflow_provider_payrecords.sandbox.config import SandboxConfig

SANDBOX_KEY = "sk_test_sandbox"
"""Any well-formed key is accepted; this is the one we show."""


def sandbox(
    host: Annotated[str, typer.Option(metavar="HOST", help="A name or address of this machine.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, metavar="PORT", help="0 takes any free one.")] = 12111,
    state: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep everything in this file; without it: in memory.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keys, limits, invoices and faults, as YAML or JSON.")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """
    Run a local stand-in for the Payment Records API, strict and stateful, until Ctrl-C.

    Under /_sandbox it shows its journal and takes faults; docs/sandbox.md tells how.
    """
    from airflow_provider_payrecords.sandbox.server import serve

    def tell(url: str) -> None:
        if json:
            console.say_json({"url": url, "state_file": state and str(state)})
        else:
            _tell(url, state)
        console.flush()

    serve(host, port, state, None if config is None else _read_config(config), on_ready=tell)
    if not json:
        console.say("Stopped.")


def _tell(url: str, state: Path | None) -> None:
    console.say(
        f"The sandbox answers at {url} ({f'state in {state}' if state else 'forgets everything when it stops'})."
    )
    console.say("Point things at it:")
    console.say(f"  payrecords report payments.csv --api-base {url} --api-key {SANDBOX_KEY}")
    console.say(f"  curl {url}/v1/payment_records -u {SANDBOX_KEY}:")
    connection = f'{{"conn_type": "payrecords", "host": "{url}", "password": "{SANDBOX_KEY}"}}'
    console.say(f"  export AIRFLOW_CONN_PAYRECORDS_DEFAULT='{connection}'")
    console.say(f"What it did: {url}/_sandbox/journal")
    console.say("Ctrl-C stops it.")


def _read_config(file: Path) -> SandboxConfig:
    from pydantic import ValidationError

    from airflow_provider_payrecords.sandbox.config import SandboxConfig

    try:
        return SandboxConfig.model_validate(read_document(file))
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        faults = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in details)
        raise UsageError(f"{file}: {'; '.join(faults)}.") from None
