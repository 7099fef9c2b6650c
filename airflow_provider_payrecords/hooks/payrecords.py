"""The hook: one connection as settings, clients and a ledger. It holds no state of a run."""

from __future__ import annotations

from functools import cached_property
from typing import Any
from urllib.parse import unquote, urlsplit

from airflow_provider_payrecords._airflow import (
    AirflowException,
    AirflowRuntimeError,
    BaseHook,
    Connection,
    airflow_home,
    conf,
    mask_secret,
)
from airflow_provider_payrecords.client import AsyncPayRecordsClient, PayRecordsClient
from airflow_provider_payrecords.connection import read_extras, read_ledger_url, read_settings
from airflow_provider_payrecords.core.commands import ListPaymentRecords, RetrievePaymentRecord
from airflow_provider_payrecords.core.errors import InvalidRequestError, PayRecordsError, UnknownRouteError
from airflow_provider_payrecords.ledger.sql import SqlLedger
from airflow_provider_payrecords.ledger.urls import open_ledger
from airflow_provider_payrecords.settings import Settings

_QUICK = {"max_retries": 0, "connect_timeout_seconds": 5.0, "read_timeout_seconds": 10.0}
_NO_SUCH_RECORD = "pr_connectiontest"


class PaymentRecordsHook(BaseHook):
    """
    A Stripe account that payments are reported to.

    Nothing is read before it is needed: neither when a DAG is parsed nor when the hook is made.

    Args:
        payrecords_conn_id: Connection of type ``payrecords``: password = API key, host = API base.
    """

    conn_name_attr = "payrecords_conn_id"
    default_conn_name = "payrecords_default"
    conn_type = "payrecords"
    hook_name = "Stripe Payment Records"

    def __init__(self, payrecords_conn_id: str = default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.payrecords_conn_id = payrecords_conn_id

    @cached_property
    def connection(self) -> Connection:
        """The Airflow connection."""
        connection: Connection = self.get_connection(self.payrecords_conn_id)
        return connection

    @cached_property
    def settings(self) -> Settings:
        """
        How to reach the API, and as whom.

        Raises:
            SettingsError: The connection is incomplete or wrong.
        """
        settings = read_settings(self.connection)
        mask_secret(settings.api_key.get_secret_value())
        return settings

    def get_conn(self) -> PayRecordsClient:
        """Return a blocking client, by the name that Airflow's hooks have for it."""
        return self.client()

    def client(self) -> PayRecordsClient:
        """Return a blocking client. Close it, or use it in a ``with`` block."""
        return PayRecordsClient(self.settings)

    def async_client(self) -> AsyncPayRecordsClient:
        """Return an asynchronous client. Close it, or use it in an ``async with`` block."""
        return AsyncPayRecordsClient(self.settings)

    async def load(self) -> None:
        """
        Read the connection without blocking the event loop. Triggers await this before anything else of the hook.

        Raises:
            AirflowException: There is no connection of that id, or what holds the connections cannot be reached.
        """
        self.connection = await self.aget_connection(self.payrecords_conn_id)
        # Airflow has masked what it fetched; our own masking would send a message and wait for it inside the loop.
        self.settings = read_settings(self.connection)

    def ledger(self) -> SqlLedger:
        """
        Open the ledger: the connection's ``ledger_conn_id``, else ``[payrecords] ledger``, else a file in AIRFLOW_HOME.

        Raises:
            LedgerError: It cannot be opened, or is no ledger of ours.
        """
        return open_ledger(self.ledger_url())

    def test_connection(self) -> tuple[bool, str]:
        """Read one record to see whether key and host work. Changes nothing, and never raises."""
        try:
            settings = self.settings
            with PayRecordsClient(settings.model_copy(update=_QUICK)) as client:
                _read_one(client)
        except (PayRecordsError, AirflowException, AirflowRuntimeError) as error:
            return False, str(error)
        account = f", connected account {settings.stripe_account}" if settings.stripe_account else ""
        return True, f"{settings.api_base} accepts the key. Mode: {settings.mode}{account}."

    def ledger_url(self) -> str:
        """Return where the ledger is. It may hold a password."""
        conn_id = read_extras(self.connection).ledger_conn_id
        place = str(conf.get("payrecords", "ledger", fallback=None) or "")
        if not conn_id and not place:
            return str(airflow_home() / "payrecords" / "ledger.db")
        if not conn_id and ("/" in place or place.endswith(".db")):
            if password := urlsplit(place).password:
                mask_secret(unquote(password))
            return place
        return read_ledger_url(self.get_connection(conn_id or place))


def _read_one(client: PayRecordsClient) -> None:
    """
    Read something that any key for payment records may read.

    Source:
        The list is missing (404, unrecognised URL) for accounts on API versions before 2026-07-29; there, a record that
        does not exist is answered with ``resource_missing``.
    """
    try:
        client.send(ListPaymentRecords(limit=1))
    except UnknownRouteError:
        try:
            client.send(RetrievePaymentRecord(payment_record=_NO_SUCH_RECORD))
        except InvalidRequestError as error:
            if error.code != "resource_missing":
                raise
