"""What a run tells the world: small enough for XCom, true to the last row."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from airflow_provider_payrecords.core.entry import Action

MAX_JSON_BYTES = 4096
CONFIRMED, REJECTED, UNKNOWN, REVIEW, HELD, PLANNED = "confirmed", "rejected", "unknown", "review", "held", "planned"
PLAN_STATES: dict[Action, str] = {
    Action.SEND: "new",
    Action.RESEND: UNKNOWN,
    Action.DONE: CONFIRMED,
    Action.REJECTED: REJECTED,
    Action.HELD: HELD,
    Action.REVIEW: REVIEW,
}
"""What a plan calls each action. ``unknown``: it may exist, and would be sent again under the same key."""


class RunSummary(BaseModel):
    """
    The outcome of one run over one extract. Money is in minor units.

    Attributes:
        status: ``finished``: every row was looked at. ``stopped``: the run ended early, see ``stop_reason``.
        fatal: What stopped the run would stop it again: the key, a permission, the server. Mend it first.
        by_rule: A rule stopped the run (``canary``, ``stop_after_rejects``, ``on_reject``, or the first payments were
            all refused alike): somebody looks before it goes on.
        by_canary: That rule was ``canary``.
        rows: Rows that have a result.
        counts: Rows by state; they add up to ``rows``. A plan has ``new`` for what would be sent.
        new: Payments confirmed by this run; the other confirmed ones were confirmed before.
        requests: Requests this run sent.
        left_alone: Rows of the extract that a replay did not choose; they are not part of ``rows``.
        missing: The first rows and keys that a replay was asked for and that the extract does not have.
        money: Currency → state → minor units. Rows that failed our checks have no amount.
        first_rejects: The first rejected rows by row number, with key, code, field and message.
        trimmed: Details left out above to stay within 4 KiB; results and ledger have them.
    """

    model_config = ConfigDict(frozen=True)

    run_id: str
    status: Literal["finished", "stopped"]
    stop_reason: str | None = None
    fatal: bool = False
    by_rule: bool = False
    by_canary: bool = False
    dry_run: bool = False
    account: str
    mode: str
    endpoint: str
    source: str
    extract: str
    rows: int
    counts: dict[str, int]
    new: int = 0
    requests: int = 0
    left_alone: int = 0
    missing: list[str] = []
    money: dict[str, dict[str, int]]
    first_rejects: list[dict[str, Any]]
    trimmed: bool = False
    results_path: str | None = None
    rejects_path: str | None = None
    ledger: str | None = None
    started_at: datetime
    finished_at: datetime

    @property
    def exit_code(self) -> int:
        """0: every row is confirmed. 1: some are rejected, in review or missing. 3: stopped or left open; run again."""
        left_open = sum(self.counts.get(state, 0) for state in (UNKNOWN, HELD, PLANNED))
        if self.status == "stopped" or (left_open and not self.dry_run):
            return 3
        return 1 if self.counts.get(REJECTED) or self.counts.get(REVIEW) or self.missing else 0

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-safe mapping whose JSON is at most 4 KiB."""
        return fitted(self, _shorten_texts, _drop_rejects, _drop_small_money, _drop_money, _drop_paths)

    def to_json(self) -> str:
        """Return the summary as one line of JSON, at most 4 KiB."""
        return json.dumps(self.to_dict(), ensure_ascii=False)


def fitted(summary: BaseModel, *steps: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """
    Return *summary* as a JSON-safe mapping whose JSON is at most 4 KiB.

    Args:
        steps: What is left out for that, one after the other and only as far as it is needed. ``trimmed`` tells of it.
    """
    value = summary.model_dump(mode="json")
    for leave_out in steps:
        if len(json.dumps(value, ensure_ascii=False).encode()) <= MAX_JSON_BYTES:
            break
        leave_out(value)
        value["trimmed"] = True
    return value


def shorten_rows(rows: list[dict[str, Any]]) -> None:
    """Shorten the message and the key of each of a summary's rows."""
    for row in rows:
        row["message"] = shortened(row["message"], 80)
        row["key"] = shortened(row["key"], 60)


def shortened(text: str | None, length: int) -> str | None:
    """Return *text*, with an ellipsis in place of what is longer than *length* characters."""
    return text if text is None or len(text) <= length else f"{text[: length - 1]}…"


def _shorten_texts(value: dict[str, Any]) -> None:
    shorten_rows(value["first_rejects"])
    value["missing"] = [shortened(one, 60) for one in value["missing"]]
    for name in ("stop_reason", "extract"):
        value[name] = shortened(value[name], 300)


def _drop_rejects(value: dict[str, Any]) -> None:
    value["first_rejects"] = value["first_rejects"][:3]


def _drop_small_money(value: dict[str, Any]) -> None:
    value["money"] = {currency: {CONFIRMED: sums.get(CONFIRMED, 0)} for currency, sums in value["money"].items()}


def _drop_paths(value: dict[str, Any]) -> None:
    value["results_path"] = value["rejects_path"] = value["ledger"] = None


def _drop_money(value: dict[str, Any]) -> None:
    value["money"], value["first_rejects"] = {}, []


class Progress(BaseModel):
    """
    How far a run is.

    Attributes:
        rows_done: Rows with a result.
        total_rows: Rows of the extract, or None where that is not known before the end.
        rate: Requests per second that the pace allows at present.
        throttled: Answers with status 429 so far.
    """

    model_config = ConfigDict(frozen=True)

    rows_done: int
    total_rows: int | None
    counts: dict[str, int]
    requests: int
    rate: float
    throttled: int = 0


class Tally:
    """Counts and money as a run goes on."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.money: dict[str, dict[str, int]] = {}
        self.new = 0
        self.new_rejects = 0

    @property
    def rows_done(self) -> int:
        """Rows with a result."""
        return sum(self.counts.values())

    def add(self, state: str, amount_minor: int | None, currency: str | None) -> None:
        """Count one row with its final state."""
        self.counts[state] = self.counts.get(state, 0) + 1
        if amount_minor is not None and currency is not None:
            sums = self.money.setdefault(currency, {})
            sums[state] = sums.get(state, 0) + amount_minor
