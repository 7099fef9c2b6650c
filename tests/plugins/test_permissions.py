"""Auth managers that know more than roles (FAB, Keycloak): permissions of plugins, and of single DAGs."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from airflow_provider_payrecords.plugins.access import LIVE_RESOURCE
from tests.plugins.payments import draft

LIVE = draft(connection="payrecords_live", confirmation="49.50 EUR")


class ManagerOfPermissions:
    """The simple auth manager for everything but views of plugins."""

    def __init__(self, others: Any, granted: set[tuple[str, str]]) -> None:
        self._others = others
        self._granted = granted

    def __getattr__(self, name: str) -> Any:
        return getattr(self._others, name)

    def is_authorized_custom_view(self, *, method: str, resource_name: str, user: Any) -> bool:
        return (method, resource_name) in self._granted


@pytest.fixture
def granted(people: dict[str, httpx.Client], monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, str]]:
    """Return the permissions that everybody has: none yet."""
    from airflow.api_fastapi import app

    permissions: set[tuple[str, str]] = set()
    manager = ManagerOfPermissions(app.get_auth_manager(), permissions)
    monkeypatch.setattr(app._AuthManagerState, "instance", manager)
    return permissions


def test_nobody_may_send_live_unless_it_is_granted(
    people: dict[str, httpx.Client], granted: set[tuple[str, str]]
) -> None:
    assert [people[one].post("api/send", json=LIVE).status_code for one in ("viewer", "op", "admin")] == [403] * 3
    assert people["admin"].get("api/me").json()["may"]["send_live"] is False
    granted.add(("POST", LIVE_RESOURCE))
    assert people["op"].get("api/me").json()["may"]["send_live"] is True
    assert people["op"].post("api/send", json=LIVE).status_code == 200


def test_the_permission_alone_is_not_enough(people: dict[str, httpx.Client], granted: set[tuple[str, str]]) -> None:
    granted.add(("POST", LIVE_RESOURCE))
    assert people["viewer"].post("api/send", json=LIVE).status_code == 403


@pytest.mark.parametrize("other", [("GET", LIVE_RESOURCE), ("POST", "Payment Records")])
def test_another_permission_is_not_enough(
    people: dict[str, httpx.Client], granted: set[tuple[str, str]], other: tuple[str, str]
) -> None:
    granted.add(other)
    assert people["op"].post("api/send", json=LIVE).status_code == 403


class ManagerOfOneDag:
    """The simple auth manager for everything but DAGs: people may do anything with one, and list what they may."""

    def __init__(self, others: Any) -> None:
        self._others = others

    def __getattr__(self, name: str) -> Any:
        return getattr(self._others, name)

    def is_authorized_dag(self, *, details: Any = None, **_: Any) -> bool:
        return details is None or details.id in (None, "their_dag")


def test_who_may_read_one_dag_sees_nothing_of_the_others(
    people: dict[str, httpx.Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.api_fastapi import app

    monkeypatch.setattr(app._AuthManagerState, "instance", ManagerOfOneDag(app.get_auth_manager()))
    assert people["op"].get("api/connections").status_code == 403
    may = people["op"].get("api/me").json()["may"]
    assert (may["read"], may["decide"]) == (False, False)
