"""
What a person sees in a browser: the records a sandbox holds, and one record with its attempts.

Plain HTML with one style sheet inside, no scripts and nothing from elsewhere. Every value from a request is escaped.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime, timezone
from html import escape
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from airflow_provider_payrecords.core.models import RecordState
from airflow_provider_payrecords.core.money import from_minor_units
from airflow_provider_payrecords.sandbox.engine import Sandbox
from airflow_provider_payrecords.sandbox.objects import Attempt, Holdings, Realm, Record
from airflow_provider_payrecords.sandbox.render import Renderer

MAX_ROWS = 200

Page = Callable[[Request], Awaitable[Response]]

_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_STYLE = """
:root { color-scheme: light dark; --line: #d5d9e0; --dim: #667085; --ok: #0a7a3d; --bad: #b42318; --wait: #93640a }
@media (prefers-color-scheme: dark) {
  :root { --line: #3a3f4b; --dim: #98a2b3; --ok: #4ade80; --bad: #fda29b; --wait: #fdb022 }
}
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem }
.dim { color: var(--dim) }
.wide { overflow-x: auto }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .4rem .75rem .4rem 0; border-bottom: 1px solid var(--line); white-space: nowrap }
th { font-weight: 600; color: var(--dim) }
td.amount, th.amount { text-align: right; font-variant-numeric: tabular-nums }
.guaranteed { color: var(--ok) } .failed, .canceled { color: var(--bad) } .pending { color: var(--wait) }
code, pre { font: 13px/1.5 ui-monospace, monospace } pre { overflow-x: auto }
"""


def page_routes(sandbox: Sandbox) -> list[tuple[str, Page]]:
    """Return path and page of everything a browser can open."""

    async def home(request: Request) -> Response:  # noqa: ARG001 - a page is called with its request
        return _html("Payment records", _home(sandbox))

    async def record(request: Request) -> Response:
        return _record_page(sandbox, request.path_params["payment_record"])

    return [("/", home), ("/records/{payment_record}", record)]


def _html(title: str, body: str, status: int = 200) -> HTMLResponse:
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} · payrecords sandbox</title><style>{_STYLE}</style></head>"
        f"<body><h1>{escape(title)}</h1>{body}</body></html>"
    )
    return HTMLResponse(text, status, _HEADERS)


def _home(sandbox: Sandbox) -> str:
    intro = '<p class="dim">A local sandbox. Nothing here is real, and nothing was sent to Stripe.</p>'
    sections = [_section(realm, *sandbox.view(realm)) for realm in sandbox.realms()]
    empty = "<p>No payment record yet. Point a client at this address and report a payment.</p>"
    return intro + ("".join(sections) or empty)


def _section(realm: Realm, view: Renderer, holdings: Holdings) -> str:
    newest = holdings.order[: -MAX_ROWS - 1 : -1]
    rows = [_row(record, holdings.latest(record), view.record(record)) for record in newest]
    hidden = len(holdings.order) - len(newest)
    note = f", the newest {len(newest)} shown" if hidden else ""
    heads = ("Reported (UTC)", "State", "Amount", "Currency", "Reference", "Key", "Payment record")
    return (
        f"<h2>{escape(realm.account)} · {realm.mode} mode</h2>"
        f'<p class="dim">Payment records: {len(holdings.order)}{note}</p>' + _table(heads, rows)
    )


def _row(record: Record, latest: Attempt, shown: Mapping[str, Any]) -> list[str]:
    reference = shown["processor_details"].get("custom", {}).get("payment_reference") or ""
    return [
        _instant(record.created),
        _state(latest.state),
        _amount(latest.value, latest.currency),
        escape(latest.currency.upper()),
        escape(reference),
        escape(shown["metadata"].get("payrecords_key", "")),
        f'<a href="/records/{escape(record.id)}"><code>{escape(record.id)}</code></a>',
    ]


def _record_page(sandbox: Sandbox, identifier: str) -> Response:
    for realm in sandbox.realms():
        view, holdings = sandbox.view(realm)
        if identifier in holdings.records:
            return _html(identifier, _record(realm, view, holdings, holdings.records[identifier]))
    return _html("No such payment record", f"<p><code>{escape(identifier)}</code> is not here.</p>{_BACK}", 404)


_BACK = '<p><a href="/">All payment records</a></p>'


def _record(realm: Realm, view: Renderer, holdings: Holdings, record: Record) -> str:
    attempts = [holdings.attempts[one] for one in reversed(record.attempts)]
    rows = [
        [
            _instant(one.created),
            _state(one.state),
            _amount(one.value, one.currency),
            escape(one.currency.upper()),
            _amount(one.refunded, one.currency) if one.refunded else "",
            f"<code>{escape(one.id)}</code>",
        ]
        for one in attempts
    ]
    heads = ("Reported (UTC)", "State", "Amount", "Currency", "Refunded", "Attempt")
    answer = json.dumps(view.record(record), indent=2, ensure_ascii=False)
    return (
        f'{_BACK}<p class="dim">{escape(realm.account)} · {realm.mode} mode</p><h2>Attempts</h2>{_table(heads, rows)}'
        f"<h2>As the API shows it</h2><pre>{escape(answer)}</pre>"
    )


def _table(heads: Iterable[str], rows: Iterable[list[str]]) -> str:
    heads = list(heads)
    numbers = {index for index, head in enumerate(heads) if head in ("Amount", "Refunded")}

    def line(tag: str, cells: list[str]) -> str:
        marked = [' class="amount"' if index in numbers else "" for index in range(len(cells))]
        return "<tr>" + "".join(f"<{tag}{m}>{c}</{tag}>" for m, c in zip(marked, cells, strict=True)) + "</tr>"

    body = "".join(line("td", row) for row in rows)
    return f'<div class="wide"><table><thead>{line("th", heads)}</thead><tbody>{body}</tbody></table></div>'


def _state(state: RecordState) -> str:
    return f'<span class="{state.value}">{state.value.replace("_", " ")}</span>'


def _amount(value: int, currency: str) -> str:
    return f"{from_minor_units(value, currency):,f}"


def _instant(epoch: int) -> str:
    return datetime.fromtimestamp(epoch, tz=timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
