"""
Which path is which call, and what a restricted key needs for it.

Source:
    https://docs.stripe.com/api/payment-record. The permissions of attempts and invoices are a choice.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote

from airflow_provider_payrecords.core.commands import COMMANDS, Command
from airflow_provider_payrecords.sandbox.questions import QUESTIONS


@dataclass(frozen=True, slots=True)
class Route:
    """
    One call.

    Attributes:
        segments: Of the path template; a placeholder is in braces.
        permission: That a restricted key needs.
    """

    command: type[Command]
    segments: tuple[str, ...]
    permission: str

    @property
    def endpoint(self) -> str:
        """Name of the call."""
        return self.command.endpoint


def _route(command: type[Command]) -> Route:
    area = "invoice" if command.path.startswith("/v1/invoice") else "payment_records"
    return Route(command, tuple(command.path.split("/")), f"{area}_{'read' if command.method == 'GET' else 'write'}")


def _placeholders(route: Route) -> int:
    return sum(segment.startswith("{") for segment in route.segments)


# Literal paths first: report_payment sits where an id would.
ROUTES = tuple(sorted((_route(one) for one in {**COMMANDS, **QUESTIONS}.values()), key=_placeholders))


def match(method: str, path: str) -> tuple[Route, str] | None:
    """
    Find the route of a request.

    Args:
        path: Percent-encoded.

    Returns:
        The route and the decoded id of its placeholder, "" without one; None for a path that is no call.
    """
    parts = path.split("/")
    for route in ROUTES:
        if route.command.method == method and len(route.segments) == len(parts):
            pairs = list(zip(route.segments, parts, strict=True))
            if all((part and segment.startswith("{")) or segment == part for segment, part in pairs):
                return route, next((unquote(part) for segment, part in pairs if segment.startswith("{")), "")
    return None
