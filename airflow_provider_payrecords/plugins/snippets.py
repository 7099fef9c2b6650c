"""
One composed call as code that makes the same call: an operator, a task, a mapping, a command line.

What is copied is what was composed: the same form, the same row key, and so the same idempotency key.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from airflow_provider_payrecords.core.commands import STRIPE_VERSION, Command
from airflow_provider_payrecords.core.identity import DEFAULT_SOURCE
from airflow_provider_payrecords.extract.field import ENDPOINTS, REFERENCES
from airflow_provider_payrecords.operators import report
from airflow_provider_payrecords.operators.one_call import OneCallOperator
from airflow_provider_payrecords.settings import STRIPE_API_BASE, Settings

OPERATORS: dict[str, type[OneCallOperator]] = {
    operator.endpoint: operator for operator in (getattr(report, name) for name in report.__all__)
}
_INDENT = "    "
_OPERATOR = """\
from airflow.sdk import DAG

from {module} import {operator}

with DAG("{name}_once", schedule=None):
    {operator}(
        task_id="{name}",
{arguments}    )
"""
_PAYMENT = """\
from airflow.sdk import DAG, task

with DAG("{name}_once", schedule=None):

    @task.report_payment{arguments}
    def {name}():
        return {fields}

    {name}()
"""
_REPORT = """\
from contextlib import closing

from airflow.sdk import DAG, task

with DAG("{name}_once", schedule=None):

    @task
    def {name}():
        from airflow_provider_payrecords.bulk import report_command
        from airflow_provider_payrecords.core.commands import COMMANDS, build
        from airflow_provider_payrecords.hooks.payrecords import PaymentRecordsHook

        command = build(COMMANDS["{name}"], {fields})
        hook = PaymentRecordsHook({conn})
        with closing(hook.ledger()) as ledger:
            made = report_command(command, settings=hook.settings, ledger=ledger{named})
        return made.payment_record

    {name}()
"""
_READ = """\
from airflow.sdk import DAG, task

with DAG("{name}_once", schedule=None):

    @task
    def {name}():
        from airflow_provider_payrecords.core.commands import COMMANDS, build
        from airflow_provider_payrecords.hooks.payrecords import PaymentRecordsHook

        command = build(COMMANDS["{name}"], {fields})
        with PaymentRecordsHook({conn}).client() as client:
            return client.send(command).model_dump(mode="json")

    {name}()
"""


@dataclass(frozen=True, slots=True)
class Call:
    """
    A composed call, and where it goes.

    Attributes:
        key: Row key as the person gave it, or None where the call names the payment itself.
        zones: Time zone of each time that was entered in one, by path.
    """

    command: Command
    conn_id: str
    settings: Settings
    source: str = DEFAULT_SOURCE
    key: str | None = None
    zones: Mapping[str, str] | None = None


def snippets_of(call: Call) -> dict[str, str | None]:
    """Return the call by kind of copy: ``operator``, ``task``, ``yaml`` and ``cli``; None where there is no way."""
    return {
        "operator": operator_snippet(call),
        "task": task_snippet(call),
        "yaml": yaml_snippet(call),
        "cli": cli_snippet(call),
    }


def operator_snippet(call: Call) -> str | None:
    """Return a DAG file with the operator of the call. None for reading, and for what the operator cannot say."""
    operator = OPERATORS.get(call.command.endpoint)
    if operator is None:
        return None
    fields = _fields(call.command)
    if operator.body is None and fields.keys() - set(operator.flat):
        return None  # expand, which these operators do not take
    arguments: dict[str, Any] = {name: fields.pop(name) for name in operator.flat if name in fields}
    if operator.body is not None:
        arguments[operator.body] = fields
    arguments = {**arguments, **_naming(call)}
    return _OPERATOR.format(
        name=call.command.endpoint,
        module=operator.__module__,
        operator=operator.__name__,
        arguments="".join(f"        {name}={_literal(_as_template(one), 2)},\n" for name, one in arguments.items()),
    )


def task_snippet(call: Call) -> str:
    """Return a DAG file with a task that makes the call."""
    name, conn = call.command.endpoint, _literal(call.conn_id, 0)
    fields = _literal(_fields(call.command), 2)
    if call.command.method == "GET":
        return _READ.format(name=name, fields=fields, conn=conn)
    if name == "report_payment":
        arguments = ", ".join(f"{one}={_literal(_as_template(value), 0)}" for one, value in _naming(call).items())
        return _PAYMENT.format(name=name, fields=fields, arguments=f"({arguments})" if arguments else "")
    naming = {"source": call.source, "key": call.key}
    named = "".join(f", {one}={_literal(value, 0)}" for one, value in naming.items() if value is not None)
    return _REPORT.format(name=name, fields=fields, conn=conn, named=named)


def yaml_snippet(call: Call) -> str | None:
    """Return a mapping that takes such calls from an extract: what varies has a column, what does not is a constant."""
    endpoint = call.command.endpoint
    if endpoint not in ENDPOINTS:
        return None
    columns = _Columns()
    zones = call.zones or {}
    fields = {
        path: _spec(path, value, columns, zones)
        for path, value in _leaves(_fields(call.command))
        if path != "expand" and value != "" and not path.endswith("details.type")
    }
    mapping: dict[str, Any] = {"source": call.source}
    if endpoint != "report_payment":
        mapping["endpoint"] = endpoint
    reference = REFERENCES.get(endpoint)
    if call.key is not None or reference not in fields:
        mapping["key"] = columns.name("key")
    mapping["fields"] = fields
    text: str = yaml.safe_dump(mapping, sort_keys=False, allow_unicode=True, default_flow_style=None, width=1000)
    return f"# Names on the right are columns of the extract: write yours there.\n{text}"


def cli_snippet(call: Call) -> str:
    """Return the command line that composes the call; ``--send`` sends it."""
    endpoint, settings = call.command.endpoint, call.settings
    leaves = list(_leaves(_fields(call.command)))
    options = {
        "--source": call.source if call.source != DEFAULT_SOURCE else None,
        "--key": call.key,
        "--mode": settings.mode,
        "--api-base": settings.api_base if settings.api_base != STRIPE_API_BASE else None,
        "--account": settings.account,
        "--stripe-account": settings.stripe_account,
        "--stripe-version": settings.stripe_version if settings.stripe_version != STRIPE_VERSION else None,
    }
    said = [f"{name}={shlex.quote(value)}" for name, value in options.items() if value is not None]
    if any("=" in path for path, _ in leaves):
        # A name in the metadata that a word cannot hold.
        values = json.dumps(_fields(call.command), ensure_ascii=False, indent=2)
        return _joined([f"payrecords request {endpoint}", *said, "--from /dev/stdin <<'JSON'"]) + f"\n{values}\nJSON\n"
    words = [f"{path}={one}" for path, value in leaves for one in (value if isinstance(value, list) else [value])]
    return _joined([f"payrecords request {endpoint}", *map(shlex.quote, words), *said]) + "\n"


def _joined(parts: list[str]) -> str:
    return " \\\n  ".join(parts)


def _fields(command: Command) -> dict[str, Any]:
    return command.model_dump(exclude_none=True)


def _naming(call: Call) -> dict[str, Any]:
    naming = {"key": call.key, "source": call.source, "payrecords_conn_id": call.conn_id}
    usual = {"key": None, "source": DEFAULT_SOURCE, "payrecords_conn_id": "payrecords_default"}
    return {name: value for name, value in naming.items() if value != usual[name]}


def _leaves(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _literal(value: Any, depth: int) -> str:
    """Return *value* as Python writes it, mappings over several lines."""
    if isinstance(value, Mapping):
        inner = _INDENT * (depth + 1)
        lines = [f"{inner}{_literal(name, 0)}: {_literal(one, depth + 1)},\n" for name, one in value.items()]
        return "{\n" + "".join(lines) + _INDENT * depth + "}"
    if isinstance(value, list):
        return f"[{', '.join(_literal(one, depth) for one in value)}]"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def _as_template(value: Any) -> Any:
    """Return *value* such that Airflow renders it to itself: what looks like a template is not one."""
    if isinstance(value, Mapping):
        return {name: _as_template(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_as_template(one) for one in value]
    if not isinstance(value, str):
        return value
    # Jinja makes one kind of line end of all, and drops the last.
    return re.sub(r"\{(?=[{%#])|[\r\n]", lambda found: "{{ " + repr(found[0]) + " }}", value)


class _Columns:
    """Names of columns, each once."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def name(self, path: str) -> str:
        """Return the shortest end of *path* that is not taken."""
        parts = path.split(".")
        ends = ["_".join(parts[-count:]) for count in range(1, len(parts) + 1)]
        name = next((end for end in ends if end not in self._taken), f"{path}_{len(self._taken)}")
        self._taken.add(name)
        return name


_CONSTANT = frozenset({"outcome", "customer_presence", "currency", "display_name", "type"})


def _spec(path: str, value: Any, columns: _Columns, zones: Mapping[str, str]) -> Any:
    if path.rpartition(".")[2] in _CONSTANT and not path.startswith("metadata."):
        return {"constant": value}
    if path.endswith(".value") and not path.startswith("metadata."):
        return {"column": columns.name(path.rpartition(".")[0]), "unit": "major"}
    column = columns.name(path)
    return {"column": column, "timezone": zones[path]} if path in zones else column
