"""
Who is calling: API keys, the account they act on, and what they may do.

Source:
    https://docs.stripe.com/keys and https://docs.stripe.com/api/authentication
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass

from airflow_provider_payrecords.sandbox.config import SandboxConfig
from airflow_provider_payrecords.sandbox.errors import (
    RefusalError,
    expired_key,
    missing_permission,
    no_key,
    wrong_key,
)
from airflow_provider_payrecords.sandbox.objects import DEFAULT_ACCOUNT, Realm

_KEY = re.compile(r"[sr]k_(test|live)_\S+")
_ACCOUNT = re.compile(r"acct_[A-Za-z0-9]+")


@dataclass(frozen=True, slots=True)
class Caller:
    """
    An authenticated caller.

    Attributes:
        masked_key: Fit for messages.
        permissions: All that a restricted key may do; None for everything.
    """

    realm: Realm
    masked_key: str
    permissions: frozenset[str] | None = None

    def require(self, permission: str) -> None:
        """
        Check that the key may do something that needs *permission*. Writing includes reading.

        Raises:
            RefusalError: 403, naming the permission.
        """
        if self.permissions is None or permission in self.permissions:
            return
        if permission.endswith("_read") and permission.replace("_read", "_write") in self.permissions:
            return
        raise missing_permission(self.masked_key, self.realm.account, permission)


def authenticate(headers: Mapping[str, str], config: SandboxConfig) -> Caller:
    """
    Return who sent *headers*.

    Raises:
        RefusalError: 401 without a usable key, 403 for an account the key cannot act on.
    """
    key = _key(headers.get("authorization", ""))
    if not key:
        raise no_key()
    match = _KEY.fullmatch(key)
    if key in config.revoked_keys:
        raise expired_key(mask(key))
    if match is None or (config.keys is not None and key not in config.keys):
        raise wrong_key(mask(key))
    account = headers.get("stripe-account") or headers.get("stripe-context") or DEFAULT_ACCOUNT
    if account != DEFAULT_ACCOUNT and not _ACCOUNT.fullmatch(account):
        raise _no_access(mask(key), account)
    return Caller(Realm(account, match.group(1) == "live"), mask(key), config.permissions.get(key))


def mask(key: str) -> str:
    """Return *key* with all but its prefix and last four characters hidden."""
    prefix = re.match(r"[a-z]{2}_(?:test|live)_", key)
    start = prefix.group() if prefix else ""
    rest = key[len(start) :]
    return f"{start}****{rest[-4:] if len(rest) > 8 else ''}"


def _key(authorization: str) -> str:
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[0]
    except ValueError:
        return ""


def _no_access(masked: str, account: str) -> RefusalError:
    message = (
        f"The provided key '{masked}' does not have access to account '{account}' (or that account does not exist). "
        "Application access may have been revoked."
    )
    return RefusalError(403, message, code="account_invalid")
