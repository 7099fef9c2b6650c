"""The trigger behind the deferrable sensor, on a real event loop against the sandbox."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_payrecords._airflow import deserialize
from airflow_provider_payrecords.core.waiting import SPREAD
from airflow_provider_payrecords.sandbox import Fault, FaultKind, RunningSandbox
from airflow_provider_payrecords.sensors.payment_record import PaymentRecordSensor
from airflow_provider_payrecords.testing.task_runner import MemorySupervisor, resume_task, run_task
from airflow_provider_payrecords.triggers.payment_record import PaymentRecordTrigger
from tests.airflow.conftest import API_KEY
from tests.airflow.looking import BEGAN, TimedRecordTrigger, fired, nothing
from tests.airflow.records import Book


@pytest.fixture
def book(sandbox: RunningSandbox) -> Book:
    return Book(sandbox)


@pytest.fixture
def quick(supervisor: MemorySupervisor) -> MemorySupervisor:
    """Return the supervisor with a connection that does not send again by itself."""
    supervisor.connections["payrecords_default"].extra = '{"max_retries": 0}'
    return supervisor


def trigger(record: str, *meanwhile: Callable[[], Any], **arguments: Any) -> Any:
    given = {"states": ["guaranteed"], "deadline_epoch": BEGAN + 3600, "poll_interval": 60.0, **arguments}
    return TimedRecordTrigger(payment_record=record, **given).arrange(*meanwhile)


def test_sensor_and_trigger_wait_together_until_the_state_is_there(
    in_dag: Callable[..., Any], supervisor: MemorySupervisor, book: Book
) -> None:
    record = book.report()
    task = in_dag(PaymentRecordSensor, payment_record=record, deferrable=True)
    deferred = run_task(task, supervisor=supervisor)
    book.become(record, "guaranteed")
    resumed = resume_task(task, deferred)
    assert (deferred.state, resumed.state, resumed.result) == ("deferred", "success", record)


def test_one_event_when_the_state_is_there(supervisor: MemorySupervisor, book: Book) -> None:
    record = book.report()
    looked = trigger(record, nothing, nothing, lambda: book.become(record, "guaranteed"), nothing)
    assert fired(looked, supervisor) == [
        {"status": "reached", "payment_record": record, "state": "guaranteed", "message": f"{record} is guaranteed"}
    ]
    assert len(looked.waits) == 3


def test_it_waits_before_it_looks_and_never_looks_in_step(supervisor: MemorySupervisor, book: Book) -> None:
    record = book.become(book.report(), "guaranteed")
    waits = []
    for _ in range(8):
        looked = trigger(record)
        fired(looked, supervisor)
        waits += looked.waits
    assert len(set(waits)) == len(waits) == 8
    assert all(60 * (1 - SPREAD) <= wait <= 60 * (1 + SPREAD) for wait in waits)


def test_state_that_can_no_longer_come_is_an_event(supervisor: MemorySupervisor, book: Book) -> None:
    record = book.report()
    (event,) = fired(trigger(record, lambda: book.become(record, "failed")), supervisor)
    assert (event["status"], event["state"]) == ("hopeless", "failed")
    assert event["message"].startswith(f"{record} is failed, not guaranteed.")


def test_new_attempt_is_waited_for_where_it_is_expected(supervisor: MemorySupervisor, book: Book) -> None:
    record = book.report()
    looked = trigger(
        record,
        lambda: book.become(record, "failed"),
        lambda: book.try_again(record),
        lambda: book.become(record, "guaranteed"),
        wait_for_new_attempt=True,
    )
    assert fired(looked, supervisor)[0]["status"] == "reached"
    assert len(looked.waits) == 3


def test_deadline_is_an_event_after_a_last_look(supervisor: MemorySupervisor, book: Book) -> None:
    record = book.report()
    looked = trigger(record, deadline_epoch=BEGAN + 150)
    (event,) = fired(looked, supervisor)
    assert (event["status"], event["state"]) == ("timeout", "pending")
    assert event["message"] == f"{record} is pending, not guaranteed. The sensor's timeout has passed."
    assert looked.clock == BEGAN + 150


def test_state_that_came_while_no_triggerer_ran_counts_even_after_the_deadline(
    supervisor: MemorySupervisor, book: Book
) -> None:
    looked = trigger(book.become(book.report(), "guaranteed"), deadline_epoch=BEGAN - 86_400)
    assert fired(looked, supervisor)[0]["status"] == "reached"
    assert looked.waits == [0.0]


def test_restart_makes_the_same_trigger_with_the_same_deadline(supervisor: MemorySupervisor, book: Book) -> None:
    record = book.report()
    first = trigger(record, deadline_epoch=BEGAN + 100)
    classpath, kwargs = first.serialize()
    assert classpath == f"{PaymentRecordTrigger.__module__}.PaymentRecordTrigger"
    again = TimedRecordTrigger(**deserialize(json.loads(json.dumps(kwargs)))).arrange()
    again.clock = BEGAN + 90  # it was killed after 90 of its 100 seconds
    assert again.serialize() == first.serialize()
    assert fired(again, supervisor)[0]["status"] == "timeout"
    assert sum(again.waits) == pytest.approx(10)


def test_only_ids_and_numbers_are_serialized() -> None:
    _, kwargs = trigger("pr_1").serialize()
    assert sorted(kwargs) == sorted(PaymentRecordTrigger.__init__.__kwdefaults__ | kwargs)
    assert all(isinstance(value, (str, int, float, bool, list)) for value in kwargs.values())
    assert API_KEY not in repr(kwargs)


def test_trigger_only_reads(supervisor: MemorySupervisor, book: Book, sandbox: RunningSandbox) -> None:
    record = book.report()
    before = len(sandbox.journal)
    fired(trigger(record, deadline_epoch=BEGAN + 300), supervisor)
    assert len(sandbox.journal) == before


class _AsyncOnly(MemorySupervisor):
    """A triggerer's supervisor: a blocking question inside the event loop would stop every other trigger."""

    async def asend(self, msg: Any) -> Any:
        return MemorySupervisor.send(self, msg)

    def send(self, msg: Any) -> Any:
        assert type(msg).__name__ != "GetConnection", "a connection was looked up by blocking the event loop"
        return super().send(msg)


def test_connection_is_read_without_blocking_the_event_loop(supervisor: MemorySupervisor, book: Book) -> None:
    record = book.become(book.report(), "guaranteed")
    (event,) = fired(trigger(record), _AsyncOnly(connections=supervisor.connections))
    assert event["status"] == "reached"


def test_vanished_connection_is_borne_for_a_while_and_then_an_event_that_says_what_to_do() -> None:
    looked = trigger("pr_1", max_failures=3)
    (event,) = fired(looked, MemorySupervisor())
    assert (event["status"], event["state"], len(looked.waits)) == ("blind", None, 3)
    assert event["message"] == (
        "pr_1 could not be read, 3 times in a row: Connection 'payrecords_default' is not defined, or could not be "
        "read. Create it or correct payrecords_conn_id, then clear the task."
    )


def test_connection_that_comes_back_is_used(supervisor: MemorySupervisor, book: Book) -> None:
    record = book.become(book.report(), "guaranteed")
    away = dict(supervisor.connections)
    supervisor.connections.clear()
    looked = trigger(record, nothing, lambda: supervisor.connections.update(away))
    assert fired(looked, supervisor)[0]["status"] == "reached"


def test_incomplete_connection_is_an_event_at_once(supervisor: MemorySupervisor) -> None:
    supervisor.connections["payrecords_default"].password = None
    looked = trigger("pr_1")
    (event,) = fired(looked, supervisor)
    assert (event["status"], len(looked.waits)) == ("hopeless", 1)
    assert "the API key is missing" in event["message"]


def test_unknown_record_is_an_event_at_once(supervisor: MemorySupervisor) -> None:
    (event,) = fired(trigger("pr_nobodyKnows"), supervisor)
    assert (event["status"], event["payment_record"]) == ("hopeless", "pr_nobodyKnows")
    assert "There is no payment record pr_nobodyKnows for this key." in event["message"]


@pytest.mark.parametrize("arguments", [{"record": ""}, {"record": "pr_1", "states": ["paid"]}, {"record": None}])
def test_arguments_that_cannot_work_are_an_event_and_no_exception(
    supervisor: MemorySupervisor, arguments: dict[str, Any]
) -> None:
    looked = trigger(**arguments)
    (event,) = fired(looked, supervisor)
    assert (event["status"], looked.waits) == ("hopeless", [])


def test_outage_is_borne_a_bounded_number_of_times(
    quick: MemorySupervisor, book: Book, sandbox: RunningSandbox
) -> None:
    record = book.become(book.report(), "guaranteed")
    sandbox.faults.add(Fault(kind=FaultKind.UNAVAILABLE, times=2))
    assert fired(trigger(record, max_failures=3), quick)[0]["status"] == "reached"
    sandbox.faults.add(Fault(kind=FaultKind.UNAVAILABLE, times=3))
    (event,) = fired(trigger(record, max_failures=3), quick)
    assert (event["status"], "3 times in a row: server_error" in event["message"]) == ("blind", True)


def test_api_that_is_away_is_an_event_without_an_address_or_a_key(
    quick: MemorySupervisor, sandbox: RunningSandbox
) -> None:
    sandbox.close()
    (event,) = fired(trigger("pr_1", max_failures=2), quick)
    assert event["status"] == "blind"
    assert not [one for one in (API_KEY, sandbox.url, "Traceback") if one in json.dumps(event)]


def test_cancelled_trigger_closes_its_client(supervisor: MemorySupervisor, book: Book) -> None:
    record, closed = book.report(), []

    class Watched(TimedRecordTrigger):
        async def _pause(self, seconds: float) -> None:
            await super()._pause(seconds)
            if len(self.waits) == 2:
                raise asyncio.CancelledError

    async def close(self: Any) -> None:
        closed.append(self)
        await original(self)

    from airflow_provider_payrecords.client import AsyncPayRecordsClient

    original = AsyncPayRecordsClient.close
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AsyncPayRecordsClient, "close", close)
        looked = Watched(payment_record=record, states=["guaranteed"], deadline_epoch=BEGAN + 3600).arrange()
        with pytest.raises(asyncio.CancelledError):
            fired(looked, supervisor)
    assert len(closed) == 1
