"""Wait until a Payment Record is in a state, such as guaranteed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider_payrecords._airflow import BaseSensorOperator, PokeReturnValue, conf

if TYPE_CHECKING:
    from airflow_provider_payrecords._airflow import Context
    from airflow_provider_payrecords.core.waiting import Look, Wait

__all__ = ["PaymentRecordSensor"]

MIN_DEFERRED_SECONDS = 5.0
"""Airflow fails a task whose trigger fires before the scheduler has noticed that it deferred."""
_GRACE = timedelta(minutes=1)
_FAILURES = "payrecords_failures"


class PaymentRecordSensor(BaseSensorOperator):
    """
    Waits until a record is in a state. It only reads.

    In the modes ``poke`` and ``reschedule``, or deferred: then it looks once on the worker and, if it has to wait, goes
    on in the triggerer. ``timeout``, ``soft_fail`` and the rest are those of every Airflow sensor; ``mode``,
    ``exponential_backoff`` and ``max_wait`` have no effect once it is deferred.

    XCom:
        * ``return_value``: the record's id.
        * ``state``: the state it was found in.

    Args:
        payment_record: Id of the record, ``pr_…``.
        state: ``guaranteed``, ``failed``, ``canceled``, ``partially_refunded`` or ``refunded``; or a list, of which any
            will do.
        wait_for_new_attempt: Whether a failed or canceled attempt is no reason to give up, since the API takes a new
            attempt after it. If not, the sensor fails at once on a record that failed, unless that is waited for.
        max_failures: How many looks in a row may see nothing (429, 5xx, no connection) before the task fails. Each has
            the client's own retries inside.
        deferrable: Whether to wait in the triggerer. Default: ``[operators] default_deferrable``.
        payrecords_conn_id: Connection of type ``payrecords``. A key that may read is enough.
    """

    template_fields = ("payment_record", "state", "payrecords_conn_id")
    ui_color = "#e8e4ff"

    def __init__(
        self,
        *,
        payment_record: str,
        state: str | Sequence[str] = "guaranteed",
        wait_for_new_attempt: bool = False,
        max_failures: int = 10,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        payrecords_conn_id: str = "payrecords_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.payment_record = payment_record
        self.state = state
        self.wait_for_new_attempt = wait_for_new_attempt
        self.max_failures = max_failures
        self.deferrable = deferrable
        self.payrecords_conn_id = payrecords_conn_id

    def poke(self, context: Context) -> PokeReturnValue:
        """Look once. Where there is more to wait for and the sensor is deferrable, defer."""
        # Heavy, and of no use to whoever only parses the DAG.
        from airflow_provider_payrecords.core.waiting import Sight
        from airflow_provider_payrecords.operators.failure import failing_for_good

        with failing_for_good():
            wait, before = self._wait(), self._failures(context)
            look = self._look(wait, before)
        self.log.info("%s", look.message)
        if look.sight is Sight.REACHED:
            return PokeReturnValue(True, self._done(context, look.payment_record, look.state))
        if look.sight is not Sight.WAITING:
            self._give_up(look.sight.value, look.message)
        if self.deferrable and self.timeout > 0:
            self._defer(wait)
        if look.failures != before:
            self._remember(context, look.failures)
        return PokeReturnValue(False)

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> str:
        """Take the trigger's event: return the record's id, or fail with what the trigger saw."""
        event = event or {}
        if event.get("status") != "reached":
            self._give_up(event.get("status", ""), event.get("message", "The trigger ended without an outcome."))
        self.log.info("%s", event["message"])
        return self._done(context, event["payment_record"], event["state"])

    def _wait(self) -> Wait:
        from airflow_provider_payrecords.core.standing import parse_states
        from airflow_provider_payrecords.core.waiting import Wait
        from airflow_provider_payrecords.operators.values import check_text

        check_text("payment_record", self.payment_record)
        return Wait(self.payment_record, parse_states(self.state), self.wait_for_new_attempt, self.max_failures)

    def _look(self, wait: Wait, failures: int) -> Look:
        from airflow_provider_payrecords.core.commands import RetrievePaymentRecord, build
        from airflow_provider_payrecords.core.errors import PayRecordsError
        from airflow_provider_payrecords.hooks.payrecords import PaymentRecordsHook

        command = build(RetrievePaymentRecord, {"payment_record": wait.payment_record})
        with PaymentRecordsHook(self.payrecords_conn_id).client() as client:
            try:
                record = client.send(command)
            except PayRecordsError as error:
                return wait.stumble(error, failures)
        return wait.look(record)

    def _done(self, context: Context, payment_record: str, state: Any) -> str:
        context["ti"].xcom_push(key="state", value=str(getattr(state, "value", state)))
        return payment_record

    def _give_up(self, status: str, message: str) -> None:
        from airflow_provider_payrecords._airflow import AirflowException, AirflowFailException, AirflowSensorTimeout

        known = {"hopeless": AirflowFailException, "timeout": AirflowSensorTimeout}
        raise known.get(status, AirflowException)(message)

    def _defer(self, wait: Wait) -> None:
        from airflow_provider_payrecords.transport.clock import utc_now
        from airflow_provider_payrecords.triggers.payment_record import PaymentRecordTrigger

        self.defer(
            trigger=PaymentRecordTrigger(
                payment_record=wait.payment_record,
                states=[state.value for state in wait.states],
                deadline_epoch=utc_now().timestamp() + self.timeout,
                poll_interval=max(self.poke_interval, MIN_DEFERRED_SECONDS),
                wait_for_new_attempt=self.wait_for_new_attempt,
                max_failures=self.max_failures,
                payrecords_conn_id=self.payrecords_conn_id,
            ),
            method_name="execute_complete",
            # The trigger keeps the timeout itself and says what it saw last. This one is for when no triggerer runs.
            timeout=timedelta(seconds=self.timeout) + _GRACE,
        )

    def _failures(self, context: Context) -> int:
        """Return how many looks in a row saw nothing. A rescheduled sensor is a new process for each of them."""
        if not self.reschedule:
            return getattr(self, "_failed_looks", 0)
        store = context.get("task_state_store")  # since Airflow 3.3; before, only the timeout bounds a rescheduled wait
        kept: Any = store.get(_FAILURES) if store is not None else None
        return int(kept["failures"]) if kept and kept["try"] == context["ti"].try_number else 0

    def _remember(self, context: Context, failures: int) -> None:
        self._failed_looks = failures
        if self.reschedule and (store := context.get("task_state_store")) is not None:
            store.set(_FAILURES, {"try": context["ti"].try_number, "failures": failures})
