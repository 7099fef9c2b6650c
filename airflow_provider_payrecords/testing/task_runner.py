"""
Airflow's own task runner with a supervisor in memory: no database, no scheduler, milliseconds a task.

    with DAG("test"):
        task = ReportPaymentOperator(task_id="report", payment={…})
    ran = run_task(task, supervisor=MemorySupervisor(connections={"payrecords_default": connection}))
    assert ran.state == "success" and ran.result.startswith("pr_")

``resume_task`` goes on with a task that deferred. Templates, XCom, retries and failure states are the real ones. What
it calls is private to Airflow and may change with a minor version; it ran on 3.2 and 3.3.
"""

from __future__ import annotations

import asyncio
import importlib
import signal
from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any
from unittest import mock
from uuid import uuid4

from airflow_provider_payrecords._airflow import Connection, deserialize, execution_modules

XComPlace = tuple[str, int, str]
"""Task id, map index (-1 for a task that is not mapped) and key."""


@dataclass
class MemorySupervisor:
    """
    Answers what a task asks of its supervisor, and remembers what it was told.

    Attributes:
        connections: By id, before the environment's.
        xcoms: What tasks pushed.
        rendered_fields: Template fields of the last task, as the UI shows them.
        task_state: The task state store.
        asset_state: The asset state store, by name of the asset and key.
        masked: Secrets that are to be masked in logs.
        waiting_since: When a sensor in mode ``reschedule`` first looked, or None.
    """

    connections: dict[str, Connection] = field(default_factory=dict)
    xcoms: dict[XComPlace, Any] = field(default_factory=dict)
    rendered_fields: dict[str, Any] = field(default_factory=dict)
    task_state: dict[str, Any] = field(default_factory=dict)
    asset_state: dict[tuple[str, str], Any] = field(default_factory=dict)
    masked: list[Any] = field(default_factory=list)
    waiting_since: datetime | None = None

    def send(self, msg: Any) -> Any:
        """Answer one message, as the supervisor process would."""
        answer: Callable[[Any], Any] | None = getattr(self, f"_on_{type(msg).__name__}", None)
        result = answer(msg) if answer else None
        return _messages().OKResponse(ok=True) if result is None else result

    async def asend(self, msg: Any) -> Any:
        """Answer one message of a trigger."""
        return self.send(msg)

    def _on_GetConnection(self, msg: Any) -> Any:
        if (found := self.connections.get(msg.conn_id)) is None:
            return _messages().ErrorResponse(
                error=_messages().ErrorType.CONNECTION_NOT_FOUND, detail={"conn_id": msg.conn_id}
            )
        names = ("conn_id", "conn_type", "host", "schema", "login", "password", "port", "extra")
        return _messages().ConnectionResult(**{name: getattr(found, name) for name in names})

    def _on_SetXCom(self, msg: Any) -> None:
        self.xcoms[msg.task_id, msg.map_index, msg.key] = msg.value

    def _on_GetXCom(self, msg: Any) -> Any:
        place = (msg.task_id, -1 if msg.map_index is None else msg.map_index, msg.key)
        return _messages().XComResult(key=msg.key, value=self.xcoms.get(place))

    def _on_GetXComSequenceSlice(self, msg: Any) -> Any:
        found = {
            place[1]: value for place, value in self.xcoms.items() if (place[0], place[2]) == (msg.task_id, msg.key)
        }
        values = [found[index] for index in sorted(found)]
        return _messages().XComSequenceSliceResult(root=values[slice(msg.start, msg.stop, msg.step)])

    def _on_SetRenderedFields(self, msg: Any) -> None:
        self.rendered_fields = msg.rendered_fields

    def _on_MaskSecret(self, msg: Any) -> None:
        self.masked.append(msg.value)

    def _on_SetTaskStateStore(self, msg: Any) -> None:
        self.task_state[msg.key] = msg.value

    def _on_GetTaskStateStore(self, msg: Any) -> Any:
        if msg.key in self.task_state:
            return _messages().TaskStateStoreResult(value=self.task_state[msg.key])
        return _messages().ErrorResponse(error=_messages().ErrorType.TASK_STORE_NOT_FOUND, detail={})

    def _on_SetAssetStateStoreByName(self, msg: Any) -> None:
        self.asset_state[msg.name, msg.key] = msg.value

    def _on_GetAssetStateStoreByName(self, msg: Any) -> Any:
        if (msg.name, msg.key) in self.asset_state:
            return _messages().AssetStateStoreResult(value=self.asset_state[msg.name, msg.key])
        return _messages().ErrorResponse(error=_messages().ErrorType.ASSET_STORE_NOT_FOUND, detail={})

    def _on_GetTaskRescheduleStartDate(self, _: Any) -> Any:
        return _messages().TaskRescheduleStartDate(start_date=self.waiting_since)

    def _on_ValidateInletsAndOutlets(self, _: Any) -> Any:
        return _messages().InactiveAssetsResult(inactive_assets=[])


@dataclass(frozen=True)
class RanTask:
    """
    How a task ended.

    Attributes:
        state: ``success``, ``failed``, ``up_for_retry``, ``up_for_reschedule``, ``deferred``, ``skipped``, ….
        result: What it returned, as XCom holds it.
        xcoms: Everything it pushed, by key.
        asset_events: What it left in the events of its outlets, by the asset's URI.
        ending: Airflow's message that ended it, such as ``DeferTask`` with the trigger's class and arguments.
    """

    state: str
    error: BaseException | None
    result: Any
    xcoms: dict[str, Any]
    asset_events: dict[str, dict[str, Any]]
    supervisor: MemorySupervisor
    ending: Any = None


def run_task(
    task: Any,
    *,
    supervisor: MemorySupervisor | None = None,
    try_number: int = 1,
    retries: int = 0,
    run_id: str = "test",
    map_index: int = -1,
    conf: dict[str, Any] | None = None,
    logical_date: datetime | None = None,
    resume: tuple[str, dict[str, Any]] | None = None,
) -> RanTask:
    """
    Run one task of a DAG as a worker does.

    A sensor that is rescheduled is run again with the same supervisor, which knows since when it waits.

    Args:
        supervisor: Give the same one again for a retry, a clear or a downstream task.
        retries: Tries after the first that are allowed.
        logical_date: None for a manual run without a date, which has no ``ds`` and no ``ts``.
        resume: Method and arguments to go on with after a deferral; ``resume_task`` gives the trigger's own.
    """
    runner, _, _ = execution_modules()
    supervisor = supervisor or MemorySupervisor()
    # Airflow deletes what a task pushed before each try.
    for place in [place for place in supervisor.xcoms if place[:2] == (task.task_id, map_index)]:
        del supervisor.xcoms[place]
    instance = _instance(task, try_number, retries, map_index, _dag_run(task, run_id, conf, logical_date))
    server = instance._ti_context_from_server
    server.next_method, server.next_kwargs = resume or (None, None)
    server.task_reschedule_count = int(supervisor.waiting_since is not None)
    with mock.patch.object(runner, "SUPERVISOR_COMMS", supervisor, create=True), _signals_kept():
        context = instance.get_template_context()
        state, ending, error = runner.run(instance, context, task.log)
        context["exception"] = error
        runner.finalize(instance, state, context, task.log, error)
    own = {
        key: value
        for (name, index, key), value in supervisor.xcoms.items()
        if (name, index) == (task.task_id, map_index)
    }
    if state.value == "up_for_reschedule" and supervisor.waiting_since is None:
        supervisor.waiting_since = instance.start_date
    told = getattr(ending, "outlet_events", None) or []
    return RanTask(state.value, error, own.get("return_value"), own, _asset_events(told), supervisor, ending)


def _asset_events(told: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {one["dest_asset_key"]["uri"]: one["extra"] for one in told if one["extra"]}


def resume_task(task: Any, ran: RanTask, *, max_waits: int = 100, **options: Any) -> RanTask:
    """
    Run the trigger that *task* deferred to until it fires, as a triggerer does, then resume the task.

    Its waits take no time. Change what it waits for before, or in another thread.

    Args:
        ran: How the task ended when it deferred.
        max_waits: How often the trigger may wait before this is an ``AssertionError``.
        options: As for ``run_task``.
    """
    runner, _, _ = execution_modules()
    module, _, name = ran.ending.classpath.rpartition(".")
    trigger = getattr(importlib.import_module(module), name)(**deserialize(ran.ending.trigger_kwargs))
    with mock.patch.object(runner, "SUPERVISOR_COMMS", ran.supervisor, create=True):
        event = asyncio.run(_first_event(trigger, max_waits))
    kwargs = {**deserialize(ran.ending.next_kwargs or {}), "event": event}
    return run_task(task, supervisor=ran.supervisor, resume=(ran.ending.next_method, kwargs), **options)


async def _first_event(trigger: Any, max_waits: int) -> Any:
    sleep, loop, left = asyncio.sleep, asyncio.get_running_loop(), max_waits

    async def hurry(seconds: float, result: Any = None) -> Any:
        nonlocal left
        if asyncio.get_running_loop() is not loop:  # a sandbox in another thread keeps its own time
            return await sleep(seconds, result)
        left -= seconds > 0
        if left < 0:
            raise AssertionError(f"{trigger!r} has waited {max_waits} times, and what it waits for has not come")
        return await sleep(0, result)

    with mock.patch.object(asyncio, "sleep", hurry):
        async with aclosing(trigger.run()) as events:
            async for event in events:
                return event.payload
    raise AssertionError(f"{trigger!r} ended without an event, which fails its task")


def _messages() -> Any:
    _, comms, _ = execution_modules()
    return comms


def _dag_run(task: Any, run_id: str, conf: dict[str, Any] | None, logical_date: datetime | None) -> Any:
    _, _, models = execution_modules()
    now = datetime.now(timezone.utc)
    return models.DagRun(
        dag_id=task.dag_id,
        run_id=run_id,
        logical_date=logical_date,
        data_interval_start=logical_date,
        data_interval_end=logical_date,
        run_after=now,
        start_date=now,
        end_date=None,
        run_type=models.DagRunType.MANUAL,
        state=models.DagRunState.RUNNING,
        conf=conf or {},
        consumed_asset_events=[],
        partition_key=None,
    )


def _instance(task: Any, try_number: int, retries: int, map_index: int, dag_run: Any) -> Any:
    runner, _, models = execution_modules()
    server = models.TIRunContext(
        dag_run=dag_run,
        max_tries=retries,
        should_retry=try_number <= retries,
        variables=[],
        connections=[],
        xcom_keys_to_clear=[],
        task_reschedule_count=0,
    )
    return runner.RuntimeTaskInstance.model_construct(
        id=uuid4(),
        task_id=task.task_id,
        dag_id=task.dag_id,
        run_id=dag_run.run_id,
        try_number=try_number,
        map_index=map_index,
        dag_version_id=uuid4(),
        hostname="test",
        context_carrier=None,
        queue="default",
        task=task.prepare_for_execution(),
        max_tries=retries,
        start_date=dag_run.start_date,
        state="running",
        is_mapped=map_index >= 0,
        bundle_instance=SimpleNamespace(name="test", version=None),
        _ti_context_from_server=server,
    )


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Give SIGTERM back to whoever had it: the runner takes it for ``on_kill``."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
