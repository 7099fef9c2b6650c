"""One-call operators under Airflow's own task runner, against the sandbox: every effect once, whatever runs again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_payrecords._airflow import AirflowFailException
from airflow_provider_payrecords.operators.report import (
    AttachPaymentOperator,
    ReportPaymentAttemptCanceledOperator,
    ReportPaymentAttemptFailedOperator,
    ReportPaymentAttemptGuaranteedOperator,
    ReportPaymentAttemptInformationalOperator,
    ReportPaymentAttemptOperator,
    ReportPaymentOperator,
    ReportRefundOperator,
)
from airflow_provider_payrecords.sandbox import (
    Fault,
    FaultKind,
    InvoiceSeed,
    RunningSandbox,
    SandboxConfig,
    start_sandbox,
)
from airflow_provider_payrecords.testing.task_runner import MemorySupervisor, RanTask, run_task
from tests.airflow.payments import STARTED, guaranteed, payment, refund

Run = Callable[..., RanTask]
T = STARTED


@pytest.fixture
def run(supervisor: MemorySupervisor, in_dag: Callable[..., Any]) -> Run:
    """Return a function that runs an operator; the same supervisor, ledger and sandbox each time."""

    def run_one(
        operator: type, task_id: str | None = None, run_options: dict[str, Any] | None = None, **arguments: Any
    ) -> RanTask:
        task = in_dag(operator, task_id or operator.__name__, **arguments)
        return run_task(task, supervisor=supervisor, **(run_options or {}))

    return run_one


@pytest.fixture
def record(run: Run) -> str:
    """Return the id of a pending record."""
    ran = run(ReportPaymentOperator, payment=payment("cheque-0"))
    assert ran.state == "success"
    return str(ran.result)


def effects(sandbox: RunningSandbox) -> Counter[str]:
    return Counter(line.endpoint for line in sandbox.journal)


def test_return_value_is_the_id_of_the_record(run: Run, sandbox: RunningSandbox) -> None:
    ran = run(ReportPaymentOperator, payment=payment())
    assert ran.state == "success"
    assert ran.result == sandbox.records[0]["id"]
    assert ran.xcoms["payment_record"]["id"] == ran.result
    assert ran.xcoms["payment_record"]["amount_requested"] == {"value": 4950, "currency": "eur"}
    assert ran.xcoms["payment_record"]["state"] == "pending"
    assert ran.xcoms["request_id"].startswith("req_")


def test_second_try_sends_nothing_and_gives_the_same_values(run: Run, sandbox: RunningSandbox) -> None:
    first = run(ReportPaymentOperator, payment=payment())
    again = run(ReportPaymentOperator, payment=payment(), run_options={"try_number": 2, "retries": 3})
    assert again.xcoms == first.xcoms
    assert len(sandbox.journal) == 1


def test_another_run_and_another_task_with_the_same_payment_send_nothing(run: Run, sandbox: RunningSandbox) -> None:
    first = run(ReportPaymentOperator, payment=payment())
    again = run(ReportPaymentOperator, "other_task", run_options={"run_id": "other"}, payment=payment())
    assert again.result == first.result
    assert len(sandbox.journal) == 1


def test_lost_answer_fails_plainly_and_the_retry_finds_the_record(
    run: Run, sandbox: RunningSandbox, supervisor: MemorySupervisor
) -> None:
    # More drops than the client's own retries.
    sandbox.faults.add(Fault(kind=FaultKind.DROP_AFTER), Fault(kind=FaultKind.DROP_BEFORE, times=20))
    connection = supervisor.connections["payrecords_default"]
    connection.extra = '{"ledger_conn_id": "ledger", "max_retries": 0}'
    lost = run(ReportPaymentOperator, payment=payment(), run_options={"retries": 1})
    assert (lost.state, len(sandbox.journal)) == ("up_for_retry", 1)
    sandbox.faults.clear()
    retried = run(ReportPaymentOperator, payment=payment(), run_options={"try_number": 2, "retries": 1})
    assert retried.result == sandbox.records[0]["id"]
    assert len(sandbox.journal) == 1


def test_changed_payment_under_the_same_reference_is_held_for_review(run: Run, sandbox: RunningSandbox) -> None:
    run(ReportPaymentOperator, payment=payment())
    changed = run(ReportPaymentOperator, payment=payment(description="other"), run_options={"retries": 3})
    assert changed.state == "failed"
    assert isinstance(changed.error, AirflowFailException)
    assert len(sandbox.journal) == 1


def test_payment_without_a_reference_asks_for_a_key(run: Run, sandbox: RunningSandbox) -> None:
    assert "key=" in str(run(ReportPaymentOperator, payment=payment(None)).error)
    assert run(ReportPaymentOperator, payment=payment(None), key="mine").state == "success"
    assert sandbox.journal.times() == {"mine": 1}


def test_key_and_source_are_stamped(run: Run, sandbox: RunningSandbox) -> None:
    run(ReportPaymentOperator, payment=payment(), key="row-7", source="adyen")
    assert sandbox.records[0]["metadata"] == {"payrecords_key": "row-7", "payrecords_source": "adyen"}


def test_stamps_can_be_turned_off(run: Run, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__PAYRECORDS__STAMP_METADATA", "False")
    run(ReportPaymentOperator, payment=payment())
    assert sandbox.records[0]["metadata"] == {}


def test_same_reference_of_two_sources_is_two_payments(run: Run, sandbox: RunningSandbox) -> None:
    results = {run(ReportPaymentOperator, payment=payment(), source=source).result for source in ("bank", "paypal")}
    assert len(results) == len(sandbox.journal) == 2


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"payment": payment(initiated_at="yesterday")}, "initiated_at"),
        ({"payment": payment(amount_requested={"value": "49.50", "currency": "eur"})}, "amount_requested.value"),
        ({"payment": payment(amount_requested={"value": 1, "currency": "xyz"})}, "amount_requested.currency"),
        ({"payment": payment(surprise=1)}, "surprise"),
        ({"payment": "{{ ti.task_id }}"}, "mapping"),
        ({"payment": payment(), "payrecords_conn_id": "no_such_connection"}, "no_such_connection"),
    ],
)
def test_wrong_input_is_explained(run: Run, sandbox: RunningSandbox, arguments: dict[str, Any], expected: str) -> None:
    ran = run(ReportPaymentOperator, **arguments)
    assert ran.state == "failed"
    assert expected in str(ran.error)
    assert len(sandbox.journal) == 0


def test_wrong_input_is_not_retried(run: Run) -> None:
    ran = run(ReportPaymentOperator, payment=payment(surprise=1), run_options={"retries": 3})
    assert isinstance(ran.error, AirflowFailException)


def test_refused_key_is_not_retried(run: Run, supervisor: MemorySupervisor, sandbox: RunningSandbox) -> None:
    supervisor.connections["payrecords_default"].password = "pk_test_public"
    ran = run(ReportPaymentOperator, payment=payment(), run_options={"retries": 3})
    assert isinstance(ran.error, AirflowFailException)
    assert "pk_test_public" not in str(ran.error)


def test_live_key_in_the_connection_is_permission_enough(
    run: Run, supervisor: MemorySupervisor, sandbox: RunningSandbox
) -> None:
    supervisor.connections["payrecords_default"].password = "sk_live_operatorCanary"
    assert run(ReportPaymentOperator, payment=payment()).xcoms["payment_record"]["livemode"] is True
    assert [line.mode for line in sandbox.journal] == ["live"]


def test_ledger_that_is_away_is_retried_and_nothing_is_sent(
    run: Run, supervisor: MemorySupervisor, sandbox: RunningSandbox
) -> None:
    supervisor.connections["ledger"].host = "/proc/nowhere/ledger.db"
    assert run(ReportPaymentOperator, payment=payment(), run_options={"retries": 1}).state == "up_for_retry"
    assert len(sandbox.journal) == 0


def test_ledger_that_is_none_is_not_retried(
    run: Run, supervisor: MemorySupervisor, sandbox: RunningSandbox, ledger_path: Path
) -> None:
    ledger_path.write_text("my diary, not a database of anybody's")
    ran = run(ReportPaymentOperator, payment=payment(), run_options={"retries": 1})
    assert isinstance(ran.error, AirflowFailException)
    assert len(sandbox.journal) == 0


@pytest.mark.parametrize("name", ["key", "source"])
def test_name_that_a_template_rendered_to_a_number_is_refused(run: Run, sandbox: RunningSandbox, name: str) -> None:
    options = {"retries": 1, "conf": {"name": "1_000"}}
    template = {name: "{{ dag_run.conf['name'] }}", "render_template_as_native_obj": True}
    ran = run(ReportPaymentOperator, payment=payment(), run_options=options, **template)
    assert isinstance(ran.error, AirflowFailException)
    assert f"{name}: Give text, not int" in str(ran.error)
    assert len(sandbox.journal) == 0


def test_whole_payment_may_be_a_template_where_objects_are_native(run: Run, sandbox: RunningSandbox) -> None:
    options = {"conf": {"payment": payment("chq-8")}}
    template = {"payment": "{{ dag_run.conf['payment'] }}", "render_template_as_native_obj": True}
    assert run(ReportPaymentOperator, run_options=options, **template).state == "success"
    assert sandbox.journal.times() == {"chq-8": 1}


def test_empty_key_is_refused(run: Run) -> None:
    assert "key" in str(run(ReportPaymentOperator, payment=payment(), key="").error)


def test_throttled_call_is_retried_by_airflow_once_the_client_gave_up(
    run: Run, sandbox: RunningSandbox, supervisor: MemorySupervisor
) -> None:
    supervisor.connections["payrecords_default"].extra = '{"ledger_conn_id": "ledger", "max_retries": 0}'
    sandbox.faults.add(Fault(kind=FaultKind.RATE_LIMIT))
    assert run(ReportPaymentOperator, payment=payment(), run_options={"retries": 1}).state == "up_for_retry"
    assert run(ReportPaymentOperator, payment=payment(), run_options={"try_number": 2, "retries": 1}).state == "success"


def test_templates_render_and_digits_are_integers(run: Run, sandbox: RunningSandbox) -> None:
    fields = payment(
        "{{ dag_run.conf['reference'] }}", amount_requested={"value": "{{ dag_run.conf['cents'] }}", "currency": "eur"}
    )
    ran = run(ReportPaymentOperator, payment=fields, run_options={"conf": {"reference": "chq-7", "cents": 700}})
    assert ran.state == "success"
    assert sandbox.records[0]["amount_requested"] == {"value": 700, "currency": "eur"}
    assert sandbox.records[0]["metadata"]["payrecords_key"] == "chq-7"


def test_life_of_a_record(run: Run, sandbox: RunningSandbox, record: str) -> None:
    on_it = {"payment_record": record}
    states = [
        run(ReportPaymentAttemptFailedOperator, failed_at=T + 1, **on_it),
        run(ReportPaymentAttemptOperator, attempt={"initiated_at": T + 2}, **on_it),
        run(ReportPaymentAttemptGuaranteedOperator, guaranteed_at=T + 3, metadata={"desk": "4"}, **on_it),
        run(ReportRefundOperator, refund=refund("r-1", amount={"value": 950, "currency": "eur"}), **on_it),
        run(ReportRefundOperator, "rest", refund=refund("r-2"), **on_it),
    ]
    assert [ran.result for ran in states] == [record] * 5
    shown = [ran.xcoms["payment_record"]["state"] for ran in states]
    assert shown == ["failed", "pending", "guaranteed", "partially_refunded", "refunded"]


@pytest.mark.parametrize("when", [T + 1, str(T + 1), datetime.fromtimestamp(T + 1, timezone.utc)])
def test_time_may_be_seconds_digits_or_an_instant(run: Run, record: str, when: Any) -> None:
    ran = run(ReportPaymentAttemptCanceledOperator, payment_record=record, canceled_at=when)
    assert ran.xcoms["payment_record"]["state"] == "canceled"


def test_time_without_a_zone_is_refused(run: Run, record: str) -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001 # that is the mistake
    ran = run(ReportPaymentAttemptCanceledOperator, payment_record=record, canceled_at=naive)
    assert "canceled_at" in str(ran.error)


def test_every_task_of_a_record_cleared_after_all_of_them_reports_nothing(
    run: Run, sandbox: RunningSandbox, record: str
) -> None:
    def whole_life() -> list[Any]:
        on_it = {"payment_record": record}
        return [
            run(ReportPaymentOperator, payment=payment("cheque-0")).result,
            run(ReportPaymentAttemptFailedOperator, failed_at=T + 1, **on_it).result,
            run(ReportPaymentAttemptOperator, attempt={"initiated_at": T + 2}, **on_it).result,
            run(ReportPaymentAttemptFailedOperator, "fail_again", failed_at=T + 3, **on_it).result,
            run(ReportPaymentAttemptOperator, "third", attempt={"initiated_at": T + 4}, **on_it).result,
            run(ReportPaymentAttemptInformationalOperator, details={"description": "third time"}, **on_it).result,
        ]

    first, before = whole_life(), effects(sandbox)
    assert before["report_payment_attempt"] == before["report_payment_attempt_failed"] == 2
    assert whole_life() == first
    assert effects(sandbox) == before


def test_cleared_task_with_another_time_is_held_for_review(run: Run, sandbox: RunningSandbox, record: str) -> None:
    # As a template of the present time would do. The second attempt is open, and must not be failed by it.
    run(ReportPaymentAttemptFailedOperator, payment_record=record, failed_at=T + 1)
    run(ReportPaymentAttemptOperator, payment_record=record, attempt={"initiated_at": T + 2})
    cleared = run(ReportPaymentAttemptFailedOperator, payment_record=record, failed_at=T + 9)
    assert isinstance(cleared.error, AirflowFailException)
    assert effects(sandbox)["report_payment_attempt_failed"] == 1


def test_same_failure_of_a_new_attempt_by_another_run_asks_for_a_key(
    run: Run, sandbox: RunningSandbox, record: str
) -> None:
    tomorrow = {"run_id": "tomorrow"}
    run(ReportPaymentAttemptFailedOperator, payment_record=record, failed_at=T)
    run(ReportPaymentAttemptOperator, payment_record=record, attempt={"initiated_at": T + 2})
    asked = run(ReportPaymentAttemptFailedOperator, payment_record=record, failed_at=T, run_options=tomorrow)
    assert "key=" in str(asked.error)
    named = run(ReportPaymentAttemptFailedOperator, payment_record=record, failed_at=T, key="2nd", run_options=tomorrow)
    assert named.xcoms["payment_record"]["state"] == "failed"
    assert effects(sandbox)["report_payment_attempt_failed"] == 2


def test_amendments_go_back_and_forth_between_runs(run: Run, sandbox: RunningSandbox, record: str) -> None:
    for day, text in enumerate("aba"):
        details, options = {"description": text}, {"run_id": f"day-{day}"}
        for _ in range(2):
            run(ReportPaymentAttemptInformationalOperator, payment_record=record, details=details, run_options=options)
    assert effects(sandbox)["report_payment_attempt_informational"] == 3
    assert sandbox.records[0]["description"] == "a"


def test_call_on_an_unknown_record_is_explained_and_not_retried(run: Run) -> None:
    ran = run(ReportPaymentAttemptFailedOperator, payment_record="pr_unknown", failed_at=T, run_options={"retries": 3})
    assert isinstance(ran.error, AirflowFailException)
    assert "pr_unknown" in str(ran.error)


def test_record_id_in_the_body_is_refused(run: Run, record: str) -> None:
    ran = run(ReportRefundOperator, payment_record=record, refund=refund("r", payment_record="pr_other"))
    assert "payment_record" in str(ran.error)


def test_attached_payment_pays_the_invoice_once(run: Run, sandbox: RunningSandbox) -> None:
    invoice = sandbox.sandbox.add_invoice(InvoiceSeed(amount_due=4950, currency="eur"))["id"]
    paid = run(ReportPaymentOperator, payment=guaranteed("cheque-5")).result
    for _ in range(2):
        ran = run(AttachPaymentOperator, invoice=invoice, payment_record=paid)
        assert ran.result == ran.xcoms["payment_record"]["id"] == paid
    assert effects(sandbox)["attach_payment"] == 1


def test_attachment_needs_exactly_one_payment(run: Run) -> None:
    assert "payment_intent" in str(run(AttachPaymentOperator, invoice="in_1").error)


def test_manual_run_without_a_logical_date_works(run: Run) -> None:
    ran = run(ReportPaymentOperator, payment=payment("{{ run_id }}"), run_options={"logical_date": None})
    assert ran.state == "success"


def test_key_that_may_only_attach_gets_the_id_without_the_record(run: Run, supervisor: MemorySupervisor) -> None:
    key = "rk_test_invoicesOnly"
    config = SandboxConfig(permissions={key: frozenset({"invoice_write"})}, rate_limits=None)
    connection = supervisor.connections["payrecords_default"]
    with start_sandbox(config) as limited:
        invoice = limited.sandbox.add_invoice(InvoiceSeed(amount_due=4950, currency="eur"))["id"]
        connection.host = limited.url
        made = run(ReportPaymentOperator, payment=guaranteed("cheque-6")).result
        connection.password = key
        ran = run(AttachPaymentOperator, invoice=invoice, payment_record=made)
    assert (ran.state, ran.result) == ("success", made)
    assert ran.xcoms["payment_record"] == {"id": made}
