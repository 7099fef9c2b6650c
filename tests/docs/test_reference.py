"""Whatever can be set or read back has its row in the reference pages, and nothing else has."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest

from airflow_provider_payrecords import provider_info, settings
from airflow_provider_payrecords.bulk import (
    ReconcileOptions,
    Reconciliation,
    RunOptions,
    RunSummary,
    comparison,
    engine,
    find,
    results,
    stopping,
    summary,
)
from airflow_provider_payrecords.bulk.ordered import WINDOW_LINES
from airflow_provider_payrecords.connection import Extras
from airflow_provider_payrecords.core import entry, lifecycle, money, parameters, scrub
from airflow_provider_payrecords.core.commands import STRIPE_VERSION
from airflow_provider_payrecords.core.position import PAGE_SIZE
from airflow_provider_payrecords.core.standing import STANDINGS
from airflow_provider_payrecords.core.waiting import DEFAULT_MAX_FAILURES
from airflow_provider_payrecords.extract.field import ENDPOINTS
from airflow_provider_payrecords.extract.key import MAX_KEY
from airflow_provider_payrecords.extract.mapping import ExtractMapping, FieldSpec, ReadOptions
from airflow_provider_payrecords.extract.staging import LARGE_MEMORY_LIMIT, MEMORY_LIMIT
from airflow_provider_payrecords.operators import extract as extract_operators
from airflow_provider_payrecords.operators import extract_run
from airflow_provider_payrecords.operators import reconcile as reconcile_operators
from airflow_provider_payrecords.operators import replay as replay_operators
from airflow_provider_payrecords.operators import report as report_operators
from airflow_provider_payrecords.sandbox import Fault, FaultKind, FaultMix, InvoiceSeed, SandboxConfig
from airflow_provider_payrecords.sandbox.control import control_routes
from airflow_provider_payrecords.sandbox.engine import Sandbox
from airflow_provider_payrecords.sandbox.journal import JournalLine
from airflow_provider_payrecords.sensors.payment_record import MIN_DEFERRED_SECONDS, PaymentRecordSensor
from airflow_provider_payrecords.testing import fixtures
from airflow_provider_payrecords.transport.http import MAX_ANSWER_BYTES
from airflow_provider_payrecords.triggers.new_payment_records import NewPaymentRecordsTrigger
from airflow_provider_payrecords.triggers.watching import MAX_PAUSE_SECONDS, _payload
from tests.docs.page import prose, section, spans, table_names

OPERATORS = "docs/operators.md"
SENSORS = "docs/sensors.md"
MAPPING = "docs/mapping.md"
SANDBOX = "docs/sandbox.md"
PUBLIC_OPERATORS = [
    *(("Comparison operator", reconcile_operators, name) for name in reconcile_operators.__all__),
    *(("One-call operators", report_operators, name) for name in report_operators.__all__),
    *(
        ("Extract operators", module, name)
        for module in (extract_operators, replay_operators)
        for name in module.__all__
    ),
]


def fields(model: Any) -> set[str]:
    """Return the names of the fields of a pydantic model."""
    return set(model.model_fields)


@pytest.mark.parametrize(
    ("page", "title", "names"),
    [
        (OPERATORS, "Run options", fields(RunOptions)),
        (OPERATORS, "Results file", set(results.FIELDS)),
        (OPERATORS, "Options of a comparison", fields(ReconcileOptions)),
        ("docs/cli.md", "Findings", set(comparison.FIELDS)),
        (OPERATORS, "Configuration", set(provider_info.get_provider_info()["config"]["payrecords"]["options"])),
        (MAPPING, "Keys of a mapping", fields(ExtractMapping)),
        (MAPPING, "Reading options", fields(ReadOptions)),
        (MAPPING, "Endpoints", set(ENDPOINTS)),
        (SANDBOX, "Settings", fields(SandboxConfig)),
        (SANDBOX, "Faults", {kind.value for kind in FaultKind} | fields(Fault)),
        (SANDBOX, "Invoices", fields(InvoiceSeed)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_table_names_exactly_what_there_is(page: str, title: str, names: set[str]) -> None:
    assert table_names(section(page, title)) == names


@pytest.mark.parametrize(
    ("page", "title", "names"),
    [
        (OPERATORS, "XCom of an extract", fields(RunSummary)),
        (OPERATORS, "XCom of a comparison", fields(Reconciliation)),
        (MAPPING, "Fields", fields(FieldSpec)),
        (SANDBOX, "Journal", set(inspect.signature(JournalLine).parameters)),
        (SANDBOX, "Faults", fields(FaultMix)),
        (OPERATORS, "One-call operators", {"return_value", "request_id", "payment_record"}),
        (OPERATORS, "XCom of an extract", {"return_value", "record_ids", "results_path"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_section_names_what_there_is(page: str, title: str, names: set[str]) -> None:
    assert names <= set(spans(section(page, title)))


def test_every_field_of_the_connection_is_explained() -> None:
    form = provider_info.get_provider_info()["connection-types"][0]
    assert set(form["conn-fields"]) == fields(Extras)
    text = section(OPERATORS, "Connection")
    assert fields(Extras) == table_names(text)
    plain = {line.split(" | ")[0].strip("| ") for line in text.splitlines()}
    assert set(form["ui-field-behaviour"]["relabeling"]) <= plain


@pytest.mark.parametrize(("title", "module", "name"), PUBLIC_OPERATORS, ids=[one[-1] for one in PUBLIC_OPERATORS])
def test_every_parameter_of_an_operator_is_explained(title: str, module: Any, name: str) -> None:
    own = table_names(section(OPERATORS, name))
    shared = table_names(section(OPERATORS, title).partition("\n### ")[0])
    assert own | shared == parameters_of(getattr(module, name))


@pytest.mark.parametrize(("title", "module", "name"), PUBLIC_OPERATORS, ids=[one[-1] for one in PUBLIC_OPERATORS])
def test_what_is_said_to_be_a_template_field_is_one(title: str, module: Any, name: str) -> None:
    operator = getattr(module, name)
    shared = table_names(section(OPERATORS, title).partition("\n### ")[0])
    said = parameters_of(operator) if title == "One-call operators" else shared
    said |= {"select"} & table_names(section(OPERATORS, name))
    assert set(operator.template_fields) == said


def parameters_of(operator: type) -> set[str]:
    """Return the parameters that *operator* and its bases of this package take."""
    ours = [one for one in operator.__mro__ if one.__module__.startswith("airflow_provider_payrecords")]
    signatures = [inspect.signature(vars(one)["__init__"]) for one in ours if "__init__" in vars(one)]
    return {
        parameter.name
        for signature in signatures
        for parameter in signature.parameters.values()
        if parameter.kind is parameter.KEYWORD_ONLY
    }


@pytest.mark.parametrize("public", [PaymentRecordSensor, NewPaymentRecordsTrigger])
def test_every_parameter_of_a_sensor_or_watcher_is_explained(public: type) -> None:
    assert table_names(section(SENSORS, public.__name__).partition("\n### ")[0]) - WATCHER_KEYS == parameters_of(public)


def test_states_that_can_be_waited_for_are_listed() -> None:
    assert table_names(section(SENSORS, "States")) - {"state"} == {state.value for state in STANDINGS}


WATCHER_KEYS = set(_payload([], "test", more=False))


def test_every_key_of_a_watchers_event_is_explained() -> None:
    assert table_names(section(SENSORS, "NewPaymentRecordsTrigger")) >= WATCHER_KEYS


def test_every_fixture_is_listed() -> None:
    assert table_names(section("docs/testing.md", "Fixtures")) >= set(fixtures.__all__)


def test_every_switch_of_the_sandbox_is_listed() -> None:
    routes = {
        f"{method} /_sandbox{route.path}"
        for route in control_routes(Sandbox())
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert table_names(section(SANDBOX, "Switches while it runs")) == routes


def test_currencies_with_other_decimals_are_listed() -> None:
    lists = re.findall(r"^\| ([A-Z]{3}(?: [A-Z]{3})+) \|", section(MAPPING, "Amounts"), re.MULTILINE)
    known = (money.ZERO_DECIMAL, money.THREE_DECIMAL, money.WHOLE_UNITS_AS_TWO_DECIMAL)
    assert [set(one.lower().split()) for one in lists] == [set(one) for one in known]


DEFAULTS = RunOptions()


@pytest.mark.parametrize(
    ("page", "statement"),
    [
        (OPERATORS, f"at once, at most, 1 to 256; see [pace](#pace) | {DEFAULTS.concurrency} |"),
        (OPERATORS, f"a 429 halves it for a while | {DEFAULTS.rate_limit:g} |"),
        (OPERATORS, f"10 to 86,400 | {DEFAULTS.lease_seconds:g} |"),
        (OPERATORS, f"at most {extract_run.MAX_RECORD_IDS:,} rows"),
        (OPERATORS, f"at most {summary.MAX_JSON_BYTES // 1024} KiB"),
        (OPERATORS, f"waits up to {engine.HELD_WAIT_SECONDS:g} seconds"),
        (OPERATORS, f"the first {stopping.MAX_REFUSED_ALIKE} payments of a run are refused"),
        (OPERATORS, f"after at least {stopping.MIN_ROWS_FOR_SHARE} rows"),
        (OPERATORS, f"`{STRIPE_VERSION}`"),
        (OPERATORS, f"| {settings.Settings.model_fields['max_retries'].default} |"),
        (SENSORS, f"before the task fails | {DEFAULT_MAX_FAILURES} |"),
        (SENSORS, f"at least {MIN_DEFERRED_SECONDS:g} seconds"),
        (SENSORS, f"at most {PAGE_SIZE} |"),
        (SENSORS, f"up to {MAX_PAUSE_SECONDS / 60:g} minutes"),
        ("docs/ledger.md", f"within {lifecycle.REPLAY_WINDOW.total_seconds() / 3600:g} hours of the first claim"),
        ("docs/ledger.md", f"`lease_seconds`, {DEFAULTS.lease_seconds:g} by default"),
        ("docs/ledger.md", f"waits up to {engine.HELD_WAIT_SECONDS:g} seconds"),
        ("docs/ledger.md", f"`{entry.CONTENT_CHANGED}`"),
        ("docs/limits.md", f"`{STRIPE_VERSION}`"),
        ("docs/limits.md", f"at most {find.MAX_PAGES * 100:,} listed records"),
        ("docs/limits.md", f"at most {MAX_ANSWER_BYTES // 2**20} MiB of answer"),
        ("docs/limits.md", f"up to {extract_run.MAX_RECORD_IDS:,} rows"),
        ("docs/limits.md", f"at most {MEMORY_LIMIT.replace('MB', ' MB')} of memory"),
        ("docs/limits.md", f"at most {LARGE_MEMORY_LIMIT.replace('MB', ' MB')} for JSON"),
        ("docs/limits.md", f"more than {WINDOW_LINES:,} rows after"),
        ("docs/limits.md", f"from 1 to 10^{len(str(money.MAX_MINOR_UNITS)) - 1} minor units"),
        ("docs/limits.md", f"for {lifecycle.REPLAY_WINDOW.total_seconds() / 3600:g} hours after the first claim"),
        ("docs/security.md", f"{scrub.MAX_MESSAGE} characters"),
        (MAPPING, f"at most {MAX_KEY} characters"),
        (MAPPING, f"more than {parameters.MAX_METADATA_ENTRIES} entries"),
        (MAPPING, f"a key beyond {parameters.MAX_METADATA_KEY} characters"),
        (MAPPING, f"a value beyond {parameters.MAX_METADATA_VALUE}"),
        (MAPPING, f"1 to 10^{len(str(money.MAX_MINOR_UNITS)) - 1} minor units"),
    ],
)
def test_number_is_the_one_in_the_code(page: str, statement: str) -> None:
    assert statement in " ".join(prose(page).split())
