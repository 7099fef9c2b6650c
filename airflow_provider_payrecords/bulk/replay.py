"""Send named rejects of an extract again, and nothing else of it."""

from __future__ import annotations

from typing import Any

from airflow_provider_payrecords.bulk.choice import Choice, make_selection
from airflow_provider_payrecords.bulk.run import Report, report_extract
from airflow_provider_payrecords.extract import Extract, ExtractMapping


def replay_rejects(extract: Extract, mapping: ExtractMapping, *, select: Any, **run: Any) -> Report:
    """
    Send the rejects that *select* names again. Rows that it does not name are neither sent nor changed.

    A row with the content that was refused is sent under the same idempotency key; if the API only gives its stored
    refusal for that, once more under the key that follows. A corrected row is sent under its own key. A row that is no
    reject is not sent: if it is named by row or key, its result says where it stands.

    Args:
        select: ``RejectSelection``, or a mapping of its fields.
        **run: What ``report_extract`` takes. The report and its summary are of the chosen rows.

    Raises:
        UsageError: The selection, mapping, extract or results cannot work; nothing was sent.
        LedgerError: The ledger failed. Run again.
        ResultsError: The results cannot be written. The ledger holds every outcome.
    """
    return report_extract(extract, mapping, choice=Choice(make_selection(select)), **run)
