"""
Options that several commands share, in groups, and the decorator that takes a group for one argument.

A group is a dataclass whose fields are options. Nothing here is checked beyond what typer checks; ``inputs.py`` makes
validated values of them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from enum import Enum
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

API_PANEL = "The API"
EXTRACT_PANEL = "The extract"
RUN_PANEL = "The run"
LEDGER_PANEL = "Ledger and output"

ResultT = TypeVar("ResultT")


class Mode(str, Enum):
    """Test or live data."""

    TEST = "test"
    LIVE = "live"


class OnReject(str, Enum):
    """What a reject does to the run."""

    KEEP_GOING = "keep_going"
    STOP = "stop"


JsonFlag = Annotated[
    bool,
    typer.Option("--json", help="Print one JSON object on the standard output and nothing else there."),
]
LedgerUrl = Annotated[
    str | None,
    typer.Option(
        "--ledger",
        metavar="URL",
        envvar="PAYRECORDS_LEDGER",
        help="The ledger: sqlite:///file.db, postgresql://user@host/database, or a path. It must be the same one for "
        "every run. Without it: payrecords/ledger.db in this user's data folder (~/.local/share).",
        rich_help_panel=LEDGER_PANEL,
    ),
]
Rate = Annotated[
    float | None,
    typer.Option(
        "--rate",
        metavar="N",
        envvar="PAYRECORDS_RATE",
        help="Requests per second, never exceeded; by default 20.",
        rich_help_panel=RUN_PANEL,
    ),
]
AllowLive = Annotated[
    bool,
    typer.Option("--allow-live", help="Send with a live key, which is refused otherwise.", rich_help_panel=API_PANEL),
]


@dataclass(frozen=True)
class ApiOptions:
    """Where the API is, and as whom it is called."""

    api_key: Annotated[
        str | None,
        typer.Option(
            metavar="KEY",
            envvar="STRIPE_API_KEY",
            help="Secret or restricted key. Prefer the variable: other users of this machine can see an option.",
            rich_help_panel=API_PANEL,
        ),
    ] = field(default=None, repr=False)
    api_base: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            envvar="PAYRECORDS_API_BASE",
            help="The API; by default https://api.stripe.com.",
            rich_help_panel=API_PANEL,
        ),
    ] = None
    account: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            envvar="PAYRECORDS_ACCOUNT",
            help="Name of the account in the ledger; by default the connected account, or the API's host.",
            rich_help_panel=API_PANEL,
        ),
    ] = None
    stripe_account: Annotated[
        str | None,
        typer.Option(
            metavar="ACCT",
            envvar="PAYRECORDS_STRIPE_ACCOUNT",
            help="Connected account to act on (acct_…).",
            rich_help_panel=API_PANEL,
        ),
    ] = None
    stripe_version: Annotated[
        str | None,
        typer.Option(
            metavar="VERSION",
            envvar="PAYRECORDS_STRIPE_VERSION",
            help="API version to pin instead of ours.",
            rich_help_panel=API_PANEL,
        ),
    ] = None


@dataclass(frozen=True)
class PlanOptions:
    """The mode, where nothing is sent and so no key is needed."""

    mode: Annotated[
        Mode | None,
        typer.Option(help="Mode of the payments, in place of a key.", rich_help_panel=API_PANEL),
    ] = None


@dataclass(frozen=True)
class ExtractOptions:
    """The extract, and what its columns mean."""

    file: Annotated[
        str,
        typer.Argument(
            help="CSV, JSON lines or Parquet, also .gz or .zst, a glob, or an address such as s3://bucket/file.csv."
        ),
    ]
    mapping: Annotated[
        Path | None,
        typer.Option("--mapping", "-m", metavar="FILE", help="Mapping as YAML or JSON.", rich_help_panel=EXTRACT_PANEL),
    ] = None
    source: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Namespace of the keys, such as adyen-eu.", rich_help_panel=EXTRACT_PANEL),
    ] = None
    key: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="Column that names a payment; may be given several times.",
            rich_help_panel=EXTRACT_PANEL,
        ),
    ] = None
    field: Annotated[
        list[str] | None,
        typer.Option(
            "--field",
            "-f",
            metavar="TARGET=COLUMN",
            help="Fill a request field from a column. Conversions follow after semicolons: "
            "amount_requested.value=gross;unit=major or initiated_at=created;timezone=Europe/Amsterdam.",
            rich_help_panel=EXTRACT_PANEL,
        ),
    ] = None
    constant: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TARGET=VALUE",
            help="Fill a request field with the same value in every row.",
            rich_help_panel=EXTRACT_PANEL,
        ),
    ] = None
    endpoint: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="The call made for each row; by default report_payment.", rich_help_panel=EXTRACT_PANEL
        ),
    ] = None
    where: Annotated[
        str | None,
        typer.Option(metavar="SQL", help="Take only the rows for which this holds.", rich_help_panel=EXTRACT_PANEL),
    ] = None
    sql: Annotated[
        str | None,
        typer.Option(
            metavar="SQL", help="A SELECT over the relation extract that replaces it.", rich_help_panel=EXTRACT_PANEL
        ),
    ] = None
    delimiter: Annotated[
        str | None,
        typer.Option(
            metavar="CHARACTER", help="What separates the columns of a CSV file.", rich_help_panel=EXTRACT_PANEL
        ),
    ] = None
    encoding: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Encoding of a CSV file; by default UTF-8.", rich_help_panel=EXTRACT_PANEL),
    ] = None


@dataclass(frozen=True)
class PaceOptions:
    """How a run behaves."""

    rate: Rate = None
    concurrency: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Payments under way at once, at most; by default 32.", rich_help_panel=RUN_PANEL
        ),
    ] = None
    canary: Annotated[
        int | None,
        typer.Option(metavar="N", help="Send N payments, then stop for a look.", rich_help_panel=RUN_PANEL),
    ] = None
    stop_after_rejects: Annotated[
        str | None,
        typer.Option(
            metavar="N|N%",
            help="Stop once so many rows, or this share of them, were rejected.",
            rich_help_panel=RUN_PANEL,
        ),
    ] = None
    on_reject: Annotated[
        OnReject | None,
        typer.Option(help="stop ends the run at the first reject.", rich_help_panel=RUN_PANEL),
    ] = None
    partition: Annotated[
        str | None,
        typer.Option(
            metavar="N/M",
            help="Take only part N of M of the rows, told apart by their keys.",
            rich_help_panel=RUN_PANEL,
        ),
    ] = None
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Do what plan does: send and change nothing.", rich_help_panel=RUN_PANEL),
    ] = False
    allow_live: AllowLive = False


@dataclass(frozen=True)
class OutputOptions:
    """Where the outcome goes."""

    ledger: LedgerUrl = None
    results: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="One line a row with its state and record: .csv, .jsonl or .parquet, here or in a bucket.",
            rich_help_panel=LEDGER_PANEL,
        ),
    ] = None
    json: JsonFlag = False


def takes_groups(command: Callable[..., ResultT]) -> Callable[..., ResultT]:
    """
    Let typer see the options of *command*'s groups as its own parameters.

    Arguments of *command* whose type is a dataclass are made from the options named by its fields.
    """
    # Not typing.get_type_hints: on Python 3.10 it wraps what has None for its default, and hides the option from typer.
    hints = inspect.get_annotations(command, eval_str=True)
    groups = {name: hint for name, hint in hints.items() if isinstance(hint, type) and is_dataclass(hint)}
    shown: list[inspect.Parameter] = []
    for parameter in inspect.signature(command).parameters.values():
        group = groups.get(parameter.name)
        shown.extend(_parameters_of(group) if group else [_keyword(parameter.name, parameter.default, hints)])

    @wraps(command)
    def with_groups(**given: Any) -> ResultT:
        made = {
            name: group(**{one.name: given.pop(one.name) for one in fields(group)}) for name, group in groups.items()
        }
        return command(**made, **given)

    # Both are read: the one by inspect.signature, the other by typing.get_type_hints.
    vars(with_groups)["__signature__"] = inspect.Signature(shown)
    with_groups.__annotations__ = {parameter.name: parameter.annotation for parameter in shown}
    return with_groups


def _parameters_of(group: type[Any]) -> list[inspect.Parameter]:
    hints = inspect.get_annotations(group, eval_str=True)
    defaults = {one.name: inspect.Parameter.empty if one.default is MISSING else one.default for one in fields(group)}
    return [_keyword(name, default, hints) for name, default in defaults.items()]


def _keyword(name: str, default: Any, hints: dict[str, Any]) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hints[name])


def example(*lines: str) -> str:
    """Return command lines as the end of a help page; each stands on its own line."""
    return "\n\n".join(("Example:", *(f"  {line}" for line in lines)))
