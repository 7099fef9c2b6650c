"""The sensor on Airflow's own task runner: looking, rescheduling, deferring, giving up."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSensorTimeout

from airflow_provider_payrecords.sandbox import Fault, FaultKind, RunningSandbox, SandboxConfig, start_sandbox
from airflow_provider_payrecords.sensors.payment_record import MIN_DEFERRED_SECONDS, PaymentRecordSensor
from airflow_provider_payrecords.testing.task_runner import MemorySupervisor, RanTask, run_task
from tests.airflow.conftest import API_KEY
from tests.airflow.records import Book

Sensor = Callable[..., Any]


@pytest.fixture
def book(sandbox: RunningSandbox) -> Book:
    return Book(sandbox)


@pytest.fixture
def sensor(in_dag: Callable[..., Any]) -> Sensor:
    """Return a function that makes a sensor, by default not deferrable and without patience between looks."""

    def make(payment_record: str, state: Any = "guaranteed", **arguments: Any) -> Any:
        return in_dag(
            PaymentRecordSensor, payment_record=payment_record, state=state, **{"poke_interval": 0, **arguments}
        )

    return make


def test_state_that_is_there_ends_the_sensor_at_its_first_look(
    sensor: Sensor, supervisor: MemorySupervisor, book: Book, sandbox: RunningSandbox
) -> None:
    record = book.become(book.report(), "guaranteed")
    before = len(sandbox.journal)
    ran = run_task(sensor(record), supervisor=supervisor)
    assert (ran.state, ran.result, ran.xcoms["state"]) == ("success", record, "guaranteed")
    assert len(sandbox.journal) == before


def test_sensor_in_mode_poke_looks_until_the_state_is_there(
    sensor: Sensor, supervisor: MemorySupervisor, book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    record, waits = book.report(), []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            book.become(record, "guaranteed")

    monkeypatch.setattr("airflow.sdk.bases.sensor.time", SimpleNamespace(sleep=wait, monotonic=time.monotonic))
    ran = run_task(sensor(record, poke_interval=30), supervisor=supervisor)
    assert (ran.state, ran.result, waits) == ("success", record, [30, 30, 30])


def test_rescheduled_sensor_gives_its_slot_back_between_looks(
    sensor: Sensor, supervisor: MemorySupervisor, book: Book
) -> None:
    record = book.report()
    task = sensor(record, mode="reschedule", poke_interval=120)
    ran = run_task(task, supervisor=supervisor)
    assert ran.state == "up_for_reschedule"
    assert ran.ending.reschedule_date - datetime.now(timezone.utc) > timedelta(seconds=60)
    book.become(record, "guaranteed")
    assert run_task(task, supervisor=supervisor).result == record


def test_rescheduled_sensor_times_out_by_the_time_since_its_first_look(
    sensor: Sensor, supervisor: MemorySupervisor, book: Book
) -> None:
    task = sensor(book.report(), mode="reschedule", timeout=3600)
    assert run_task(task, supervisor=supervisor).state == "up_for_reschedule"
    assert supervisor.waiting_since is not None
    supervisor.waiting_since -= timedelta(hours=2)
    ran = run_task(task, supervisor=supervisor, retries=3)
    assert (ran.state, type(ran.error)) == ("failed", AirflowSensorTimeout)


def test_deferrable_sensor_looks_once_and_defers_only_if_it_has_to_wait(
    sensor: Sensor, supervisor: MemorySupervisor, book: Book
) -> None:
    record = book.report()
    task = sensor(record, deferrable=True, poke_interval=90, timeout=3600)
    began = time.time()
    ran = run_task(task, supervisor=supervisor)
    assert ran.state == "deferred"
    assert ran.ending.classpath == "airflow_provider_payrecords.triggers.payment_record.PaymentRecordTrigger"
    kwargs = dict(ran.ending.trigger_kwargs)
    assert began + 3600 <= kwargs.pop("deadline_epoch") <= time.time() + 3600
    assert kwargs == {
        "payment_record": record,
        "states": ["guaranteed"],
        "poll_interval": 90,
        "wait_for_new_attempt": False,
        "max_failures": 10,
        "payrecords_conn_id": "payrecords_default",
    }
    assert ran.ending.trigger_timeout >= timedelta(hours=1)
    book.become(record, "guaranteed")
    assert run_task(task, supervisor=supervisor).state == "success"


def test_nothing_secret_goes_to_the_triggerer(sensor: Sensor, supervisor: MemorySupervisor, book: Book) -> None:
    record = book.report(customer_details={"email": "ada@example.com", "name": "Ada Canary"})
    ran = run_task(sensor(record, deferrable=True), supervisor=supervisor)
    sent = repr((ran.ending, supervisor.xcoms, supervisor.rendered_fields))
    assert not [one for one in (API_KEY, "ada@example.com", "Canary", "sk_test", "4950") if one in sent]


def test_triggers_are_not_fired_faster_than_the_scheduler_looks(
    sensor: Sensor, supervisor: MemorySupervisor, book: Book
) -> None:
    ran = run_task(sensor(book.report(), deferrable=True, poke_interval=0.1), supervisor=supervisor)
    assert ran.ending.trigger_kwargs["poll_interval"] == MIN_DEFERRED_SECONDS


def test_default_of_deferrable_is_airflows(in_dag: Callable[..., Any]) -> None:
    assert in_dag(PaymentRecordSensor, payment_record="pr_1").deferrable is False


def resumed(task: Any, supervisor: MemorySupervisor, **event: Any) -> RanTask:
    return run_task(task, supervisor=supervisor, retries=3, resume=("execute_complete", {"event": event}))


def test_event_of_a_reached_state_is_the_result(sensor: Sensor, supervisor: MemorySupervisor) -> None:
    ran = resumed(
        sensor("pi_1"), supervisor, status="reached", payment_record="pr_1", state="guaranteed", message="there"
    )
    assert (ran.state, ran.result, ran.xcoms["state"]) == ("success", "pr_1", "guaranteed")


@pytest.mark.parametrize(
    ("status", "state", "error"),
    [
        ("hopeless", "failed", AirflowFailException),
        ("timeout", "failed", AirflowSensorTimeout),
        ("blind", "up_for_retry", AirflowException),
        (None, "up_for_retry", AirflowException),
    ],
)
def test_event_of_a_failure_fails_the_task_with_its_text(
    sensor: Sensor, supervisor: MemorySupervisor, status: Any, state: str, error: type[Exception]
) -> None:
    ran = resumed(sensor("pr_1"), supervisor, status=status, message="what the trigger saw")
    assert (ran.state, type(ran.error), str(ran.error)) == (state, error, "what the trigger saw")
    assert resumed(sensor("pr_1", soft_fail=True), supervisor, status=status, message="x").state == "skipped"


def test_trigger_that_ended_without_an_event_fails_the_task(sensor: Sensor, supervisor: MemorySupervisor) -> None:
    ran = run_task(sensor("pr_1"), supervisor=supervisor, resume=("execute_complete", {}))
    assert (ran.state, str(ran.error)) == ("failed", "The trigger ended without an outcome.")


@pytest.mark.parametrize("deferrable", [False, True])
def test_state_that_can_never_come_fails_at_once_and_for_good(
    sensor: Sensor, supervisor: MemorySupervisor, book: Book, deferrable: bool
) -> None:
    failed = book.become(book.report(), "failed")
    ran = run_task(sensor(failed, deferrable=deferrable), supervisor=supervisor, retries=3)
    assert (ran.state, type(ran.error)) == ("failed", AirflowFailException)
    assert str(ran.error).startswith(f"{failed} is failed, not guaranteed.")
    refunded = book.refund(book.become(book.report(), "guaranteed"), 4950)
    ran = run_task(sensor(refunded, ["guaranteed", "failed"], deferrable=deferrable), supervisor=supervisor, retries=3)
    assert (ran.state, "refunded, not guaranteed or failed" in str(ran.error)) == ("failed", True)
    skipped = run_task(sensor(failed, deferrable=deferrable, soft_fail=True), supervisor=supervisor)
    assert skipped.state == "skipped"


def test_failed_attempt_is_waited_over_where_another_is_expected(
    sensor: Sensor, supervisor: MemorySupervisor, book: Book
) -> None:
    record = book.become(book.report(), "failed")
    task = sensor(record, wait_for_new_attempt=True, mode="reschedule")
    assert run_task(task, supervisor=supervisor).state == "up_for_reschedule"
    book.become(book.try_again(record), "guaranteed")
    assert run_task(task, supervisor=supervisor).result == record


@pytest.mark.parametrize("deferrable", [False, True])
@pytest.mark.parametrize("unknown", ["pr_nobodyKnows", "../charges", "", "None"])
def test_unknown_or_impossible_id_fails_at_once_and_says_so(
    sensor: Sensor, supervisor: MemorySupervisor, unknown: str, deferrable: bool
) -> None:
    ran = run_task(sensor(unknown, deferrable=deferrable), supervisor=supervisor, retries=3)
    assert (ran.state, type(ran.error)) == ("failed", AirflowFailException)
    assert "payment_record" in str(ran.error).replace("payment record", "payment_record")


def test_unknown_state_fails_at_once_with_the_known_ones(sensor: Sensor, supervisor: MemorySupervisor) -> None:
    ran = run_task(sensor("pr_1", "paid"), supervisor=supervisor, retries=3)
    assert (ran.state, "Give one of guaranteed" in str(ran.error)) == ("failed", True)


def test_templates_name_record_and_state(sensor: Sensor, supervisor: MemorySupervisor, book: Book) -> None:
    record = book.become(book.report(), "canceled")
    task = sensor("{{ dag_run.conf['record'] }}", ["{{ dag_run.conf['state'] }}", "failed"])
    ran = run_task(task, supervisor=supervisor, conf={"record": record, "state": "canceled"})
    assert (ran.result, ran.xcoms["state"]) == (record, "canceled")


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (SandboxConfig(revoked_keys=frozenset({API_KEY})), "(401). Check the connection's key."),
        (SandboxConfig(permissions={"rk_test_x": frozenset({"invoice_write"})}), "Grant payment_records_read to it."),
    ],
    ids=["401", "403"],
)
def test_refused_key_fails_for_good(
    sensor: Sensor, supervisor: MemorySupervisor, config: SandboxConfig, said: str
) -> None:
    with start_sandbox(config) as sandbox:
        connection = supervisor.connections["payrecords_default"]
        connection.host = sandbox.url
        connection.password = "rk_test_x" if config.permissions else API_KEY
        ran = run_task(sensor("pr_1"), supervisor=supervisor, retries=3)
    assert (ran.state, type(ran.error)) == ("failed", AirflowFailException)
    assert said in str(ran.error)


def trouble(sandbox: RunningSandbox, times: int) -> None:
    sandbox.faults.add(Fault(kind=FaultKind.UNAVAILABLE, times=times))


@pytest.fixture
def quick(supervisor: MemorySupervisor) -> MemorySupervisor:
    """Return the supervisor with a connection that does not send again by itself."""
    connection = supervisor.connections["payrecords_default"]
    connection.extra = '{"max_retries": 0}'
    return supervisor


def test_outage_is_borne_and_then_fails_with_retries_left(
    sensor: Sensor, quick: MemorySupervisor, book: Book, sandbox: RunningSandbox
) -> None:
    record = book.become(book.report(), "guaranteed")
    trouble(sandbox, 2)
    assert run_task(sensor(record, max_failures=3), supervisor=quick).result == record
    trouble(sandbox, 3)
    ran = run_task(sensor(record, max_failures=3), supervisor=quick, retries=1)
    assert (ran.state, type(ran.error)) == ("up_for_retry", AirflowException)
    assert str(ran.error).startswith(f"{record} could not be read, 3 times in a row: server_error")


def test_deferrable_sensor_defers_over_an_outage(
    sensor: Sensor, quick: MemorySupervisor, book: Book, sandbox: RunningSandbox
) -> None:
    record = book.report()
    trouble(sandbox, 1)
    assert run_task(sensor(record, deferrable=True), supervisor=quick).state == "deferred"


@pytest.mark.skipif(
    "GetTaskStateStore" not in dir(__import__("airflow.sdk.execution_time.comms", fromlist=["comms"])),
    reason="before Airflow 3.3 a rescheduled task remembers nothing",
)
def test_rescheduled_sensor_counts_failures_over_its_processes(
    sensor: Sensor, quick: MemorySupervisor, book: Book, sandbox: RunningSandbox
) -> None:
    record = book.report()
    task = sensor(record, mode="reschedule", max_failures=3)
    trouble(sandbox, 2)
    states = [run_task(task, supervisor=quick).state for _ in range(3)]
    assert (states, quick.task_state["payrecords_failures"]["failures"]) == (["up_for_reschedule"] * 3, 0)
    trouble(sandbox, 4)
    states = [run_task(task, supervisor=quick, retries=1).state for _ in range(3)]
    assert states == ["up_for_reschedule", "up_for_reschedule", "up_for_retry"]
    assert run_task(task, supervisor=quick, retries=1, try_number=2).state == "up_for_reschedule"


def test_missing_connection_is_retried_as_in_every_operator(sensor: Sensor) -> None:
    ran = run_task(sensor("pr_1"), supervisor=MemorySupervisor(), retries=1)
    assert (ran.state, "payrecords_default" in str(ran.error)) == ("up_for_retry", True)


def test_no_time_to_wait_is_a_timeout_without_a_deferral(
    sensor: Sensor, supervisor: MemorySupervisor, book: Book
) -> None:
    ran = run_task(sensor(book.report(), deferrable=True, timeout=0), supervisor=supervisor, retries=3)
    assert (ran.state, type(ran.error)) == ("failed", AirflowSensorTimeout)
