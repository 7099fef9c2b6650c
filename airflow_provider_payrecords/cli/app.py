"""The commands of ``payrecords``, and the one place where an error becomes an exit code and a line."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Annotated, NoReturn

import typer

from airflow_provider_payrecords import __version__
from airflow_provider_payrecords.cli import console
from airflow_provider_payrecords.cli.demo import demo
from airflow_provider_payrecords.cli.exits import ExitCode, error_as_json, exit_code_of, mask
from airflow_provider_payrecords.cli.export import export
from airflow_provider_payrecords.cli.ledger import ledger_app
from airflow_provider_payrecords.cli.options import example
from airflow_provider_payrecords.cli.reconcile import reconcile
from airflow_provider_payrecords.cli.replay import replay
from airflow_provider_payrecords.cli.report import plan, report
from airflow_provider_payrecords.cli.request import request
from airflow_provider_payrecords.cli.review import review
from airflow_provider_payrecords.cli.sandbox import sandbox
from airflow_provider_payrecords.cli.schema import schema
from airflow_provider_payrecords.cli.status import status
from airflow_provider_payrecords.core.errors import PayRecordsError

# typer 0.26 and later bring their own copy of click; the error that all wrong usage derives from has no public name.
_ParsingError: type[Exception] = typer.BadParameter.__mro__[2]

_COMMANDS: dict[Callable[..., object], tuple[str, ...]] = {
    plan: ("payrecords plan settlements.csv --mapping adyen.yaml --mode test",),
    report: (
        "export STRIPE_API_KEY=rk_test_…",
        "payrecords report settlements.csv --mapping adyen.yaml --results results.csv",
        "payrecords report wires.parquet --source bank-eu --canary 5",
    ),
    replay: (
        "payrecords replay settlements.csv --mapping adyen.yaml --code resource_missing",
        "payrecords replay settlements.csv --mapping adyen.yaml --payment 8516480123 --dry-run",
    ),
    reconcile: ("payrecords reconcile settlements.csv --mapping adyen.yaml --results differences.csv",),
    status: ("payrecords status --source adyen-eu",),
    review: (
        "payrecords review --look",
        "payrecords review resolve 8516480123 --found pr_123",
        "payrecords review resolve 8516480123 --absent",
    ),
    export: ("payrecords export rejected.csv --state rejected --state review",),
    request: (
        "payrecords request report_refund payment_record=pr_123 outcome=refunded processor_details.type=custom "
        "processor_details.custom.refund_reference=re-77",
        "payrecords request retrieve_payment_record payment_record=pr_123 --send",
    ),
    schema: ("payrecords schema report_payment",),
    sandbox: ("payrecords sandbox --port 12111 --state sandbox.db",),
    demo: ("payrecords demo", "payrecords demo --serve"),
}
"""The commands in the order of the help page, each with what one may type."""

app = typer.Typer(
    name="payrecords",
    help="Report payments that were taken outside Stripe to Stripe's Payment Records API, each exactly once.",
    epilog="Exit codes: 0 every row is confirmed, 1 some rows are rejected or in review, 2 wrong usage or mapping, "
    "3 stopped early and can be run again.",
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
"""The command line as typer knows it."""
for _command, _examples in _COMMANDS.items():
    app.command(epilog=example(*_examples))(_command)
app.add_typer(ledger_app, name="ledger")


def _show_version(wanted: bool) -> None:
    if wanted:
        console.say(f"payrecords {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    context: typer.Context,
    version: Annotated[  # noqa: ARG001 - its callback does it
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Take what stands before the command. Without a command, show what there is."""
    if context.invoked_subcommand is None:
        context.get_help()
        raise typer.Exit(ExitCode.USAGE)


def main() -> NoReturn:
    """Run the command line of this process."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code. Errors are printed, never raised."""
    console.prepare_streams()
    try:
        result = _all_commands()(list(arguments), prog_name="payrecords", standalone_mode=False)
        console.flush()
    except PayRecordsError as error:
        return fail(error, arguments)
    except _ParsingError as error:
        return _failed(_usage_as_json(error), ExitCode.USAGE, arguments)
    except BrokenPipeError:
        return _reader_gone()
    except SystemExit as error:
        # typer and rich make 1 of a closed pipe, which would read "rows rejected".
        if isinstance(error.__context__, BrokenPipeError):
            return _reader_gone()
        raise
    except (KeyboardInterrupt, typer.Abort):
        return ExitCode.INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last frame: Python's own exit code would read "rows rejected"
        console.note(mask("".join(traceback.format_exception(error))))
        said = {"type": type(error).__name__, "message": "This is a defect of payrecords. Please report it."}
        return _failed(said, ExitCode.DEFECT, arguments)
    return result if isinstance(result, int) else ExitCode.CONFIRMED


@lru_cache(maxsize=1)
def _all_commands() -> Callable[..., object]:
    """Return what typer makes of all the commands, which takes it a good while."""
    return typer.main.get_command(app)


def fail(error: PayRecordsError, arguments: Sequence[str]) -> int:
    """Print *error* as the command of *arguments* would, and return its exit code."""
    return _failed(error_as_json(error), exit_code_of(error), arguments)


def _failed(error: Mapping[str, object], code: ExitCode, arguments: Sequence[str]) -> int:
    with console.reader_may_leave():
        if "--json" in arguments:
            console.say_json({"error": error, "exit_code": int(code)})
        console.complain(str(error["message"]))
    return code


def _reader_gone() -> ExitCode:
    console.forget_reader()
    return ExitCode.READER_GONE


def _usage_as_json(error: Exception) -> dict[str, str]:
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "payrecords"
    said = error.format_message() if hasattr(error, "format_message") else str(error)
    return {"type": "UsageError", "disposition": "abort", "message": mask(f"{said.rstrip('.')}. See {path} --help.")}
