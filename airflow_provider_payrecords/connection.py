"""
An Airflow connection as ``Settings``, and the address of a ledger from a connection.

Password = API key, host = API base, the rest are extras. Nothing is guessed: what is missing or not known is an error
that names the field. No message holds the key or the password of a database.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from airflow_provider_payrecords.core.errors import SettingsError
from airflow_provider_payrecords.settings import STRIPE_API_BASE, Settings, make_settings

if TYPE_CHECKING:
    from airflow_provider_payrecords._airflow import Connection

_MAX_CONNECT_SECONDS = 10.0
_POSTGRESQL_EXTRAS = ("ssl", "connect_timeout", "keepalives", "target_session_attrs", "application_name", "options")
"""What is handed on to libpq; other extras, such as those of Airflow's own hook, are not for it."""


class Extras(BaseModel):
    """
    What a connection's extra may hold. Text is converted, because a connection URI knows nothing else.

    Attributes:
        stripe_version: API version; None for the one this package was made for.
        stripe_account: Connected account to act on, ``acct_…``.
        account: Name of the account in the ledger; None for the connection id.
        timeout: Seconds to wait for an answer.
        max_retries: Sends after the first, per call.
        rate_limit: Requests per second.
        ledger_conn_id: Connection of the ledger's database.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    stripe_version: str | None = None
    stripe_account: str | None = None
    account: str | None = None
    timeout: float | None = Field(default=None, gt=0, le=300, allow_inf_nan=False)
    max_retries: int | None = Field(default=None, ge=0, le=100)
    rate_limit: float | None = Field(default=None, gt=0, le=10_000, allow_inf_nan=False)
    ledger_conn_id: str | None = None

    @field_validator("*", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: Any) -> Any:
        # The connection form stores what was left empty as "".
        return None if value == "" else value


def read_settings(connection: Connection) -> Settings:
    """
    Return how to reach the API, as *connection* says.

    Raises:
        SettingsError: Names what is missing or wrong. The key is never part of it.
    """
    where = _name(connection)
    extras = read_extras(connection)
    values: dict[str, Any] = {
        "api_key": _api_key(connection, where),
        "api_base": _api_base(connection, where),
        "account": extras.account or connection.conn_id,
        "stripe_account": extras.stripe_account,
    }
    for name in ("stripe_version", "max_retries", "rate_limit"):
        if (value := getattr(extras, name)) is not None:
            values[name] = value
    if extras.timeout is not None:
        values["read_timeout_seconds"] = extras.timeout
        values["connect_timeout_seconds"] = min(extras.timeout, _MAX_CONNECT_SECONDS)
    return make_settings(values, where)


def read_extras(connection: Connection) -> Extras:
    """
    Return the extras of *connection*.

    Raises:
        SettingsError: The extra is not a JSON object, or has an unknown or wrong entry.
    """
    where = _name(connection)
    try:
        return Extras.model_validate(_extra(connection))
    except ValidationError as error:
        texts = [_say(detail) for detail in error.errors(include_url=False, include_input=False)]
    raise SettingsError(f"In {where}: " + "; ".join(texts) + ".")


def read_ledger_url(connection: Connection) -> str:
    """
    Return the URL of the ledger that *connection* leads to: type ``sqlite`` or ``postgres``.

    Raises:
        SettingsError: A ledger cannot live in a database of this type.
    """
    kind = (connection.conn_type or "").replace("postgresql", "postgres")
    if kind == "sqlite":
        return f"sqlite:///{connection.host or connection.schema or ''}"
    if kind != "postgres":
        raise SettingsError(
            f"In {_name(connection)}: a ledger cannot live in a database of type {connection.conn_type!r}. Give a "
            "connection of type sqlite or postgres."
        )
    query = {key: str(value) for key, value in _extra(connection).items() if key.startswith(_POSTGRESQL_EXTRAS)}
    login = quote(connection.login or "", safe="")
    password = f":{quote(connection.password, safe='')}" if connection.password else ""
    port = f":{connection.port}" if connection.port else ""
    address = f"{login}{password}@{connection.host or 'localhost'}{port}/{quote(connection.schema or '', safe='')}"
    return f"postgresql://{address}" + (f"?{urlencode(query)}" if query else "")


def _name(connection: Connection) -> str:
    return f"connection {connection.conn_id!r}"


def _api_key(connection: Connection, where: str) -> str:
    if connection.password:
        return connection.password
    advice = "it goes into the password field, not the login" if connection.login else "put it into the password field"
    raise SettingsError(f"In {where}: the API key is missing; {advice}.")


def _api_base(connection: Connection, where: str) -> str:
    """Return host and port as one address. A host without a scheme is refused: https is not ours to assume."""
    host, port = (connection.host or "").strip(), connection.port
    if not host:
        if port:
            raise SettingsError(f"In {where}: there is a port without a host. Give the host as {STRIPE_API_BASE}.")
        return STRIPE_API_BASE
    if "://" not in host:
        advice = f" (in a connection URI: {quote(f'https://{host}', safe='')})"
        raise SettingsError(f"In {where}: the host has no scheme: write https://{host}{advice}.")
    if not port:
        return host
    if urlsplit(host).path.strip("/") or _port_of(host, where) not in (None, port):
        raise SettingsError(f"In {where}: host and port contradict each other. Give the port once.")
    return host.rstrip("/") if _port_of(host, where) else f"{host.rstrip('/')}:{port}"


def _port_of(address: str, where: str) -> int | None:
    try:
        return urlsplit(address).port
    except ValueError:
        raise SettingsError(f"In {where}: the host is not an address such as {STRIPE_API_BASE}.") from None


def _extra(connection: Connection) -> Mapping[str, Any]:
    extra: Any = connection.extra or {}
    if isinstance(extra, str):
        # Connection.extra_dejson logs broken JSON and goes on with nothing, which would report to the wrong account.
        try:
            extra = json.loads(extra)
        except ValueError:
            extra = None
    if not isinstance(extra, dict):
        raise SettingsError(f'In {_name(connection)}: the extra is not a JSON object such as {{"timeout": 30}}.')
    return extra


def _say(detail: Any) -> str:
    name = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "extra_forbidden":
        return f"{name} is not a known extra; known are {', '.join(Extras.model_fields)}"
    return f"{name}: {detail['msg']}"
