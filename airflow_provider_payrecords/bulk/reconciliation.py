"""What a comparison of extract, ledger and API tells the world: small enough for XCom, no guess shown as a fact."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from airflow_provider_payrecords.bulk.summary import fitted, shorten_rows, shortened

AGREES, MISSING, DIFFERENT, DUPLICATE = "agrees", "missing", "different", "duplicate"
EXTRA, INVALID, NOT_CHECKED = "extra", "invalid", "not_checked"
DIFFERENCES = (MISSING, DIFFERENT, DUPLICATE, EXTRA, INVALID)


class Reconciliation(BaseModel):
    """
    The outcome of one comparison. Money is in minor units of what was requested.

    Attributes:
        status: ``finished``, or ``stopped`` before everything was looked at, see ``stop_reason``.
        fatal: What stopped it would stop it again: the key, a permission, the server.
        rows: Rows of the extract.
        counts: Findings by kind: ``agrees``, ``missing`` (no record), ``different``, ``duplicate`` (more than one),
            ``extra`` (a record and no row), ``invalid`` (the row breaks a rule), ``not_checked``.
        money: Currency → ``extract``, ``ledger`` (confirmed), ``stripe``, and ``difference``: Stripe's sum less
            the extract's.
        first_findings: The first findings that are no agreement, by row number.
        extras_checked: Whether records without a row were looked for. They are not without the list of records.
        created_after: Begin of the time in which records were listed, or None.
        created_before: End of it.
        listed: Records that were listed in it, other sources' among them.
        trimmed: Details left out above to stay within 4 KiB; the results have them.
    """

    model_config = ConfigDict(frozen=True)

    run_id: str
    status: Literal["finished", "stopped"]
    stop_reason: str | None = None
    fatal: bool = False
    account: str
    mode: str
    endpoint: str
    source: str
    extract: str
    rows: int
    counts: dict[str, int]
    money: dict[str, dict[str, int]]
    first_findings: list[dict[str, Any]]
    extras_checked: bool
    without_list: bool = False
    created_after: datetime | None = None
    created_before: datetime | None = None
    listed: int = 0
    requests: int = 0
    trimmed: bool = False
    results_path: str | None = None
    ledger: str | None = None
    started_at: datetime
    finished_at: datetime

    @property
    def differences(self) -> int:
        """Findings that are not an agreement, without those that could not be checked."""
        return sum(self.counts.get(kind, 0) for kind in DIFFERENCES)

    @property
    def is_whole(self) -> bool:
        """Whether everything that was asked for was checked."""
        looked = self.extras_checked or self.without_list
        return self.status == "finished" and looked and not self.counts.get(NOT_CHECKED)

    @property
    def exit_code(self) -> int:
        """0: all agree. 1: there are differences. 3: not everything could be checked."""
        return 3 if not self.is_whole else 1 if self.differences else 0

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-safe mapping whose JSON is at most 4 KiB."""
        return fitted(self, _shorten_texts, _drop_findings, _drop_money)


def _shorten_texts(value: dict[str, Any]) -> None:
    shorten_rows(value["first_findings"])
    for name in ("stop_reason", "extract", "results_path", "ledger"):
        value[name] = shortened(value[name], 300)


def _drop_findings(value: dict[str, Any]) -> None:
    value["first_findings"] = value["first_findings"][:3]


def _drop_money(value: dict[str, Any]) -> None:
    value["money"], value["first_findings"] = {}, []
