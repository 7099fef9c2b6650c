"""
What Airflow loads at start: two pages and the app that serves them.

Every Airflow process imports this module, tasks too. Only the API server asks for the app, and only then is it built.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from airflow_provider_payrecords._airflow import AirflowPlugin, conf

URL_PREFIX = "/payrecords"
CATEGORY = "Payment Records"


class PayRecordsPlugin(AirflowPlugin):
    """The pages of Payment Records. ``[payrecords] pages = False`` leaves nothing of them."""

    name = "payrecords"

    @cached_property
    def fastapi_apps(self) -> list[Any]:  # type: ignore[override] # built when it is asked for
        """The app behind the pages."""
        if not _is_on():
            return []
        from airflow_provider_payrecords.plugins.app import create_app

        return [{"app": create_app(), "url_prefix": URL_PREFIX, "name": CATEGORY}]

    @cached_property
    def react_apps(self) -> list[Any]:  # type: ignore[override] # depends on the configuration
        """The entries in the navigation, and the modules that draw the pages."""
        if not _is_on():
            return []
        return [_page("New payment request", "request"), _page("Payment runs", "runs")]


def _is_on() -> bool:
    return bool(conf.getboolean("payrecords", "pages", fallback=True))


def _page(name: str, module: str) -> dict[str, Any]:
    return {
        "name": name,  # the module sets globalThis[name]
        "category": CATEGORY,
        "destination": "nav",
        "url_route": f"payrecords-{module}",
        "bundle_url": f"{URL_PREFIX[1:]}/static/{module}.js",  # no slash in front: relative to the base path
    }
