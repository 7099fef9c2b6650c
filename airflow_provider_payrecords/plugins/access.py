"""
Who may do what on the pages, by Airflow's own auth manager, and that a request came from our pages.

An app that a plugin mounts has no authentication of its own: every route depends on ``CurrentUser``.
"""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, Request

from airflow_provider_payrecords._airflow import (
    ConnectionDetails,
    DagAccessEntity,
    DagDetails,
    SimpleAuthManager,
    conf,
    get_auth_manager,
    get_user,
)
from airflow_provider_payrecords.plugins.problems import ProblemError

LIVE_RESOURCE = "Payment Records Live"
"""Resource of a permission of our own: POST on it (``can_create`` in FAB) lets a person send with a live key."""
ALL_DAGS = "~"
"""Stands for all DAGs in Airflow's API, and is the id of none."""
REQUEST_HEADER = "X-Payrecords-Request"

CurrentUser = Annotated[Any, Depends(get_user)]


class Right(str, Enum):
    """What a person may do."""

    READ = "read"  # see runs, payments and the form: whoever may read the logs of all DAGs
    SEND_TEST = "send_test"  # use a connection with a test key: whoever may edit the connection
    SEND_LIVE = "send_live"  # use one with a live key: SEND_TEST and a permission of its own
    DECIDE = "decide"  # replay and resolve: whoever may edit the connection and start DAG runs


_ADVICE = {
    Right.READ: "Ask for a role that may read the task logs of all DAGs (Viewer or above).",
    Right.SEND_TEST: "Ask for a role that may edit the connection (Op or above).",
    Right.SEND_LIVE: f"Ask for permission to create on “{LIVE_RESOURCE}” (in the simple auth manager: role admin).",
    Right.DECIDE: "Ask for a role that may edit the connection and start DAG runs (Op or above).",
}


def may(user: Any, right: Right, conn_id: str | None = None) -> bool:
    """Return whether *user* has *right*, on the connection *conn_id* or on all of them."""
    manager = get_auth_manager()
    match right:
        case Right.READ:
            return _may_with_all_dags(manager, "GET", DagAccessEntity.TASK_LOGS, user)
        case Right.SEND_TEST:
            return _may_edit(manager, user, conn_id)
        case Right.SEND_LIVE:
            return _may_edit(manager, user, conn_id) and _may_go_live(manager, user)
        case Right.DECIDE:
            may_start = _may_with_all_dags(manager, "POST", DagAccessEntity.RUN, user)
            return _may_edit(manager, user, conn_id) and may_start


def rights_of(user: Any) -> dict[str, bool]:
    """Return every right by its name, and whether *user* has it."""
    return {right.value: may(user, right) for right in Right}


def check(user: Any, right: Right, conn_id: str | None = None) -> None:
    """
    Stop whoever lacks *right*.

    Raises:
        ProblemError: 403.
    """
    if not may(user, right, conn_id):
        raise ProblemError(
            403, "You may not do this", f"Your role lacks the permission “{right.value}”.", _ADVICE[right]
        )


def needs(right: Right) -> Any:
    """Return the dependency of a route that only people with *right* may call."""

    def checked(user: CurrentUser) -> None:
        check(user, right)

    return Depends(checked)


def refuse_foreign_requests(request: Request) -> None:
    """
    Stop a request that another site let the browser send with the person's cookie.

    A form of another site can set neither the content type nor the header, and a script of another site needs a
    preflight that nobody answers.

    Raises:
        ProblemError: 403.
    """
    if request.method in ("GET", "HEAD"):
        return
    headers = request.headers
    is_json = headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"
    if is_json and REQUEST_HEADER in headers and _is_same_origin(request):
        return
    raise ProblemError(
        403,
        "This request did not come from this page",
        f"A change needs JSON, the header {REQUEST_HEADER} and the same origin.",
        "Open the page again from Airflow's navigation, and repeat it there.",
    )


def _is_same_origin(request: Request) -> bool:
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        return site == "same-origin"
    if origin is None:
        return True  # no browser
    known = {request.headers.get("host"), urlsplit(str(conf.get("api", "base_url", fallback=""))).netloc}
    return urlsplit(origin).netloc in known - {"", None}


def _may_with_all_dags(manager: Any, method: str, entity: DagAccessEntity, user: Any) -> bool:
    """
    Return whether *user* may do it with any DAG, not with one or another.

    Asked about no DAG at all, the FAB auth manager says yes to whoever may read a single one.
    """
    details = DagDetails(id=ALL_DAGS)
    return bool(manager.is_authorized_dag(method=method, access_entity=entity, details=details, user=user))


def _may_edit(manager: Any, user: Any, conn_id: str | None) -> bool:
    details = ConnectionDetails(conn_id=conn_id) if conn_id else None
    return bool(manager.is_authorized_connection(method="PUT", details=details, user=user))


def _may_go_live(manager: Any, user: Any) -> bool:
    """
    Return whether *user* has the permission for live keys.

    The simple auth manager knows no permissions of plugins and lets every role pass; there it takes the role admin.
    """
    if isinstance(manager, SimpleAuthManager):
        return str(user.role).lower() == "admin"
    return bool(manager.is_authorized_custom_view(method="POST", resource_name=LIVE_RESOURCE, user=user))
