"""The base of the operators that make one call of the API."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_payrecords._airflow import BaseOperator
from airflow_provider_payrecords.links.payment_record import PaymentRecordLink

if TYPE_CHECKING:
    from airflow_provider_payrecords._airflow import Context
    from airflow_provider_payrecords.operators.lineage import Lineage

SHARED_TEMPLATE_FIELDS = ("key", "source", "payrecords_conn_id")


class OneCallOperator(BaseOperator):
    """
    Makes one call, through the ledger: a call that is confirmed there is not made again and gives the same id.

    XCom:
        * ``return_value``: the Payment Record's id.
        * ``payment_record``: the record without personal data, as the API spells it, and its ``state``.
        * ``request_id``: of the call that was made, for the Dashboard's log.

    Template fields are shown under *Rendered Templates* and kept by Airflow: prefer a customer's id to name and e-mail.

    Args:
        key: Names this call in the ledger. Without it: the payment or refund reference; for the calls on a record see
            ``operators/call_key.py``.
        source: Namespace of the key.
        payrecords_conn_id: Connection of type ``payrecords``. A live key in it is the permission to report live.
    """

    endpoint: ClassVar[str]
    body: ClassVar[str | None] = None
    """Parameter that is a mapping of API fields."""
    flat: ClassVar[tuple[str, ...]] = ()
    """Parameters that are API fields themselves."""
    template_fields_renderers: ClassVar[dict[str, str]] = dict.fromkeys(
        ("payment", "attempt", "details", "refund", "metadata"), "json"
    )
    ui_color = "#e8e4ff"
    operator_extra_links = (PaymentRecordLink(),)

    _lineage: Lineage | None = None
    """Set by ``execute``, for whoever asks when it has ended."""

    def __init__(
        self,
        *,
        key: str | None = None,
        source: str = "default",
        payrecords_conn_id: str = "payrecords_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.key = key
        self.source = source
        self.payrecords_conn_id = payrecords_conn_id

    def execute(self, context: Context) -> str:
        """Make the call, or find that it was made, and return the id of the Payment Record."""
        # Heavy, and of no use to whoever only parses the DAG.
        from airflow_provider_payrecords.hooks.payrecords import PaymentRecordsHook
        from airflow_provider_payrecords.operators.calling import make_call, name_of
        from airflow_provider_payrecords.operators.failure import failing_for_good
        from airflow_provider_payrecords.operators.telling import tell_of_call

        self._stopping = threading.Event()
        with failing_for_good():
            fields, hook = self._fields(context), PaymentRecordsHook(self.payrecords_conn_id)
            with hook.client() as client, closing(hook.ledger()) as ledger:
                made = make_call(
                    self.endpoint, fields, client, ledger,
                    source=self.source, key=self.key, caller=name_of(context), should_stop=self._stopping.is_set,
                )  # fmt: skip
        context["ti"].xcom_push(key="payment_record", value=made.record)
        context["ti"].xcom_push(key="request_id", value=made.request_id)
        self._lineage = tell_of_call(self, context, hook, made)
        return made.payment_record

    def _fields(self, context: Context) -> dict[str, Any]:  # noqa: ARG002 - a decorated function is given it
        from airflow_provider_payrecords.operators.calling import fields_of

        return fields_of(self)

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> Any:  # noqa: ARG002 - asked for by its name
        """Return what was reported."""
        from airflow_provider_payrecords.operators.lineage import operator_lineage

        return operator_lineage(self._lineage) if self._lineage else None

    def on_kill(self) -> None:
        """Ask for an end. Nothing new is sent; a request on its way is found again by its idempotency key."""
        stopping: threading.Event | None = getattr(self, "_stopping", None)
        if stopping is not None:
            stopping.set()
