"""
Everything a client needs to know, as one frozen, validated value. Knows no Airflow and reads no environment.

The API key is a ``SecretStr``: it does not show in text, logs or exceptions.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from airflow_provider_payrecords.core.commands import STRIPE_VERSION
from airflow_provider_payrecords.core.errors import SettingsError
from airflow_provider_payrecords.core.retry import RetryPolicy

STRIPE_API_BASE = "https://api.stripe.com"
DEFAULT_RATE_LIMIT = 20.0
"""Requests per second. Stripe's default is 25 per endpoint: https://docs.stripe.com/rate-limits"""

Mode = Literal["test", "live"]
_KEY = re.compile(r"(?:sk|rk)_(?:test|live)_[!-~]+")
_VERSION = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(\.[a-z]+)?(;[!-~]+)?")
_HOST = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?|[0-9a-f]*:[0-9a-f:.]*")


class Settings(BaseModel):
    """
    How to reach the API, as whom, and how patiently.

    Attributes:
        api_key: Secret (``sk_…``) or restricted (``rk_…``) key; its prefix says test or live.
        api_base: ``https://…``; plain ``http://`` only to this machine.
        stripe_version: Pinned on every request.
        stripe_account: Connected account to act on (``acct_…``), or None.
        account: Name of the account in the ledger, or None for the host's name.
        connect_timeout_seconds: For a connection to be made.
        read_timeout_seconds: For the next bytes of an answer, and for a whole answer to be read.
        write_timeout_seconds: For a part of the request to be taken.
        pool_timeout_seconds: For a free connection.
        max_retries: Sends after the first, per call.
        max_total_seconds: No retry starts later than this after a call's first send.
        rate_limit: Requests per second, for all calls of one client.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    api_key: SecretStr
    api_base: str = STRIPE_API_BASE
    stripe_version: str = STRIPE_VERSION
    stripe_account: str | None = Field(default=None, pattern=r"^acct_[A-Za-z0-9]+$")
    account: str | None = Field(default=None, max_length=100)
    connect_timeout_seconds: float = Field(default=10.0, gt=0, le=300)
    read_timeout_seconds: float = Field(default=30.0, gt=0, le=300)
    write_timeout_seconds: float = Field(default=30.0, gt=0, le=300)
    pool_timeout_seconds: float = Field(default=60.0, gt=0, le=300)
    max_retries: int = Field(default=6, ge=0, le=100)
    max_total_seconds: float = Field(default=90.0, gt=0, le=3600)
    rate_limit: float = Field(default=DEFAULT_RATE_LIMIT, gt=0, le=10_000)

    @field_validator("api_key")
    @classmethod
    def _usable_key(cls, value: SecretStr) -> SecretStr:
        key = value.get_secret_value()
        if not key:
            raise ValueError("is missing: give a secret (sk_…) or restricted (rk_…) key")
        if key.startswith("pk_"):
            raise ValueError("is a publishable key (pk_…), which cannot report payments: use sk_… or rk_…")
        if not _KEY.fullmatch(key):
            raise ValueError("does not look like a key: it must begin with sk_test_, rk_test_, sk_live_ or rk_live_")
        return value

    @field_validator("api_base")
    @classmethod
    def _safe_base(cls, value: str) -> str:
        if "://" not in value:
            raise ValueError(f"has no scheme: write https://{_bare(value)}")
        if not value.isprintable() or " " in value:
            raise ValueError("must not hold spaces or line breaks")
        parts = urlsplit(value)
        if "@" in parts.netloc or parts.path.strip("/") or parts.query or parts.fragment:
            raise ValueError("must be scheme, host and port only, without a user, a path, a query or a fragment")
        host = parts.hostname or ""
        if parts.scheme not in ("http", "https") or not _HOST.fullmatch(host):
            raise ValueError("must be an https:// address with a host")
        if parts.port == 0:
            raise ValueError("must not name port 0")
        if parts.scheme == "http" and not is_loopback(host):
            raise ValueError("is plain http, which is refused except to this machine: use https://")
        return value.rstrip("/")

    @field_validator("account")
    @classmethod
    def _unmistakable_account(cls, value: str | None) -> str | None:
        if value is not None and (not value.isprintable() or not value.strip() or "@" in value):
            raise ValueError("must be a name of printable characters without @, such as acme-eu")
        return value

    @field_validator("stripe_version")
    @classmethod
    def _known_form(cls, value: str) -> str:
        if not _VERSION.fullmatch(value):
            raise ValueError(f"is not an API version such as {STRIPE_VERSION}")
        return value

    @property
    def mode(self) -> Mode:
        """``test`` or ``live``, by the key's prefix."""
        return "live" if "_live_" in self.api_key.get_secret_value()[:8] else "test"

    @property
    def host(self) -> str:
        """Host of the API base, without the port."""
        return urlsplit(self.api_base).hostname or ""

    @property
    def account_scope(self) -> str:
        """
        Name of the account in the ledger.

        The connected account, else the name the user gave, else the host. Another host than Stripe's always follows
        an ``@``, which no name holds, so that entries of a sandbox never pass for Stripe's. The key is not part of it:
        keys get rolled.
        """
        name = self.stripe_account or self.account
        if self.host == urlsplit(STRIPE_API_BASE).hostname:
            return name or self.host
        return f"{name or ''}@{self.host}"

    @property
    def retry_policy(self) -> RetryPolicy:
        """Bounds of one call."""
        return RetryPolicy(max_retries=self.max_retries, max_total_seconds=self.max_total_seconds)


def make_settings(values: Mapping[str, Any], where: str) -> Settings:
    """
    Make settings of *values*.

    Args:
        where: What the values came from, for the message: ``connection payrecords_default``, ``the command line``.

    Raises:
        SettingsError: Names each setting that is wrong. The key is never part of it.
    """
    try:
        return Settings.model_validate(dict(values))
    except ValidationError as error:
        texts = [_say(detail) for detail in error.errors(include_url=False, include_input=False)]
    raise SettingsError(f"In {where}: " + "; ".join(texts) + ".")


def _say(detail: Any) -> str:
    name = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "extra_forbidden":
        return f"{name} is not a setting; known are {', '.join(Settings.model_fields)}"
    if detail["type"] == "missing":
        return f"{name} is missing"
    text = str(detail["msg"]).removeprefix("Value error, ")
    return f"{name} {text}" if text[0].islower() else f"{name}: {text}"


def is_loopback(host: str) -> bool:
    """Say whether *host* is this machine: ``localhost``, 127.0.0.0/8 or ::1."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _bare(value: str) -> str:
    return value if re.fullmatch(r"[A-Za-z0-9.:-]+", value) else "api.stripe.com"
