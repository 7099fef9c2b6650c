"""The watcher that tells of new records: everything once, in order, with a memory where Airflow has one."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from airflow.sdk import DAG, Asset, AssetWatcher

from airflow_provider_payrecords.core.position import PAGE_SIZE
from airflow_provider_payrecords.sandbox import Fault, FaultKind, RunningSandbox, SandboxConfig, start_sandbox
from airflow_provider_payrecords.testing.task_runner import MemorySupervisor
from airflow_provider_payrecords.triggers.new_payment_records import NewPaymentRecordsTrigger
from airflow_provider_payrecords.triggers.watching import MAX_PAUSE_SECONDS
from tests.airflow.conftest import API_KEY
from tests.airflow.looking import TimedWatcher, fired, nothing
from tests.airflow.records import Book

try:
    from airflow.sdk.execution_time.context import AssetStateStoreAccessors
except ImportError:  # before Airflow 3.3
    AssetStateStoreAccessors = None

NAME = "payrecords"
remembering = pytest.mark.skipif(AssetStateStoreAccessors is None, reason="the asset state store came with Airflow 3.3")


@pytest.fixture
def book(sandbox: RunningSandbox) -> Book:
    return Book(sandbox)


@pytest.fixture
def quick(supervisor: MemorySupervisor) -> MemorySupervisor:
    """Return the supervisor with a connection that does not send again by itself."""
    supervisor.connections["payrecords_default"].extra = '{"max_retries": 0}'
    return supervisor


def watcher(*meanwhile: Callable[[], Any], assets: tuple[str, ...] = (NAME,), **arguments: Any) -> Any:
    """Return a watcher as the triggerer makes it, with a store if this Airflow has one."""
    made = TimedWatcher(**arguments).arrange(*meanwhile)
    if AssetStateStoreAccessors is not None:
        made.asset_state_store = AssetStateStoreAccessors(inlets=[Asset(name) for name in assets])
    return made


def reports(book: Book, count: int, told: list[str]) -> Callable[[], None]:
    def report() -> None:
        told.extend(book.report() for _ in range(count))

    return report


def ids(events: list[Any]) -> list[str]:
    return [record for event in events for record in event["payment_records"]]


def test_what_is_there_already_is_not_new(supervisor: MemorySupervisor, book: Book) -> None:
    book.report()
    assert fired(watcher(nothing, nothing), supervisor) == []


def test_new_records_are_one_event_with_ids_and_counts_and_nothing_else(
    supervisor: MemorySupervisor, book: Book
) -> None:
    book.report()
    told: list[str] = []

    def meanwhile() -> None:
        told.append(book.report(customer_details={"email": "ada@example.com"}, metadata={"note": "canary"}))
        told.append(book.become(book.report(), "guaranteed"))

    events = fired(watcher(meanwhile, nothing, nothing), supervisor)
    assert events == [
        {
            "payment_records": told,
            "count": 2,
            "states": {"pending": 1, "guaranteed": 1},
            "reported_by": {"self": 2},
            "mode": "test",
            "more": False,
        }
    ]
    assert not [one for one in ("ada@example.com", "canary", API_KEY) if one in json.dumps(events)]


def test_first_records_of_an_empty_account_are_told(supervisor: MemorySupervisor, book: Book) -> None:
    told: list[str] = []
    events = fired(watcher(nothing, reports(book, 2, told), reports(book, 1, told), nothing), supervisor)
    assert ids(events) == told
    assert len(events) == 2


def test_backlog_is_told_a_page_per_interval_in_order(supervisor: MemorySupervisor, book: Book) -> None:
    book.report()
    told: list[str] = []
    looked = watcher(reports(book, 2 * PAGE_SIZE + 5, told), nothing, nothing, nothing, poll_interval=60)
    events = fired(looked, supervisor)
    assert [(event["count"], event["more"]) for event in events] == [(100, True), (100, True), (5, False)]
    assert ids(events) == told
    assert len(looked.waits) == 5
    assert min(looked.waits) >= 45


def test_record_that_changes_is_no_new_record(supervisor: MemorySupervisor, book: Book) -> None:
    record = book.report()
    assert fired(watcher(lambda: book.become(record, "guaranteed"), nothing), supervisor) == []


@remembering
def test_restart_goes_on_where_the_watcher_was(supervisor: MemorySupervisor, book: Book) -> None:
    book.report()
    told: list[str] = []
    first = fired(watcher(reports(book, 2, told), nothing), supervisor)
    reports(book, 3, told)()  # while no triggerer runs
    second = fired(watcher(nothing), supervisor)
    assert ids(first + second) == told
    (place,) = supervisor.asset_state
    assert place == (NAME, "payrecords_position/test/payrecords_default@127.0.0.1")


@remembering
def test_event_that_was_perhaps_not_heard_is_told_again_and_none_is_lost(
    supervisor: MemorySupervisor, book: Book
) -> None:
    book.report()
    told: list[str] = []
    killed = watcher(reports(book, 2, told))  # it ends in the wait that follows its event
    assert ids(fired(killed, supervisor)) == told
    assert ids(fired(watcher(nothing), supervisor)) == told


@remembering
def test_store_holds_ids_only(supervisor: MemorySupervisor, book: Book) -> None:
    record = book.report(customer_details={"email": "ada@example.com"})
    fired(watcher(nothing), supervisor)
    assert list(supervisor.asset_state.values()) == [{"after": record, "seen": []}]


@remembering
def test_assets_that_share_a_watcher_have_no_memory_and_no_failure(
    supervisor: MemorySupervisor, book: Book, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[str] = []
    looked = watcher(reports(book, 1, told), nothing, assets=("a", "b"))
    assert ids(fired(looked, supervisor)) == told
    assert supervisor.asset_state == {}
    assert "Several assets share this watcher" in caplog.text


def test_restart_without_a_store_begins_at_the_newest_record(supervisor: MemorySupervisor, book: Book) -> None:
    told: list[str] = []
    first = TimedWatcher().arrange(reports(book, 2, told), nothing)
    assert ids(fired(first, supervisor)) == told
    book.report()
    assert fired(TimedWatcher().arrange(nothing), supervisor) == []


def test_position_the_list_does_not_know_is_given_up(supervisor: MemorySupervisor, sandbox: RunningSandbox) -> None:
    book, told = Book(sandbox), []
    told.append(book.report())
    looked = watcher(sandbox.sandbox.reset, nothing, reports(book, 1, told), nothing)
    assert ids(fired(looked, supervisor)) == told[1:]


def test_outage_slows_the_watcher_and_loses_nothing(
    quick: MemorySupervisor, book: Book, sandbox: RunningSandbox
) -> None:
    book.report()
    told: list[str] = []

    def meanwhile() -> None:
        reports(book, 2, told)()
        sandbox.faults.add(Fault(kind=FaultKind.UNAVAILABLE, times=3))

    looked = watcher(meanwhile, nothing, nothing, nothing, nothing, poll_interval=60)
    assert ids(fired(looked, quick)) == told
    assert [round(wait / 60) for wait in looked.waits[1:4]] == pytest.approx([2, 4, 8], rel=0.25)
    assert all(wait <= MAX_PAUSE_SECONDS for wait in looked.waits)


def test_trouble_that_lasts_never_spins_and_never_overflows(quick: MemorySupervisor, sandbox: RunningSandbox) -> None:
    sandbox.close()
    looked = watcher(*[nothing] * 30, poll_interval=60)
    assert fired(looked, quick) == []
    assert len(looked.waits) == 31
    assert min(looked.waits) >= 45
    assert max(looked.waits) == MAX_PAUSE_SECONDS


def test_connection_that_is_mended_is_read_anew(supervisor: MemorySupervisor) -> None:
    with start_sandbox(SandboxConfig(revoked_keys=frozenset({"sk_test_old"}), rate_limits=None)) as sandbox:
        book, told = Book(sandbox), []
        connection = supervisor.connections["payrecords_default"]
        connection.host, connection.password = sandbox.url, "sk_test_old"

        def mend() -> None:
            connection.password = API_KEY

        looked = watcher(nothing, mend, reports(book, 1, told), nothing)
        assert ids(fired(looked, supervisor)) == told
        assert len(told) == 1


def test_vanished_connection_is_waited_for(supervisor: MemorySupervisor, book: Book) -> None:
    away, told = dict(supervisor.connections), []
    supervisor.connections.clear()
    looked = watcher(nothing, lambda: supervisor.connections.update(away), reports(book, 1, told), nothing)
    assert ids(fired(looked, supervisor)) == told


def test_watcher_only_reads(supervisor: MemorySupervisor, book: Book, sandbox: RunningSandbox) -> None:
    book.report()
    before = len(sandbox.journal)
    fired(watcher(nothing, nothing), supervisor)
    assert len(sandbox.journal) == before


def test_trigger_is_known_by_its_arguments_and_carries_no_secret() -> None:
    made = NewPaymentRecordsTrigger(payrecords_conn_id="acme", poll_interval=30)
    classpath, kwargs = made.serialize()
    assert classpath == f"{NewPaymentRecordsTrigger.__module__}.NewPaymentRecordsTrigger"
    assert kwargs == {"payrecords_conn_id": "acme", "poll_interval": 30}
    assert NewPaymentRecordsTrigger.hash(classpath, kwargs) == NewPaymentRecordsTrigger.hash(classpath, dict(kwargs))


def test_dag_that_waits_for_records_survives_serialization() -> None:
    from airflow.serialization.serialized_objects import DagSerialization

    asset = Asset("new_records", watchers=[AssetWatcher(name="stripe", trigger=NewPaymentRecordsTrigger())])
    with DAG("watching", schedule=[asset]) as dag:
        pass
    data = json.dumps(DagSerialization.serialize_dag(dag), default=str)
    assert "NewPaymentRecordsTrigger" in data
    assert "0x" not in data
    DagSerialization.deserialize_dag(json.loads(data))
