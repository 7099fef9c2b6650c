"""Named rejects of an extract, sent again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_payrecords.operators.extract import ExtractOperator

if TYPE_CHECKING:
    from airflow_provider_payrecords.bulk.choice import Choice

__all__ = ["ReplayRejectsOperator"]


class ReplayRejectsOperator(ExtractOperator):
    """
    Send named rejects of an extract again, and leave all its other rows alone.

    For payments that the API refused for a reason that is gone. What the ledger knows as confirmed, unknown or in
    review is not sent. XCom, retries and failures are those of ``ReportExtractOperator``, for the chosen rows.

    Args:
        select: Which rejects: ``codes``, ``params``, ``rows`` or ``keys``, or ``{"all": True}``. Several kinds must all
            hold, several values of one are alternatives.
        **kwargs: Those of ``ReportExtractOperator``, such as ``extract``, ``mapping``, ``results`` and ``options``.
    """

    template_fields: Sequence[str] = (*ExtractOperator.template_fields, "select")
    template_fields_renderers: ClassVar[dict[str, str]] = {
        **ExtractOperator.template_fields_renderers,
        "select": "json",
    }

    _dry = False

    def __init__(self, *, select: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.select = select

    def _choice(self) -> Choice:
        from airflow_provider_payrecords.bulk.choice import Choice, make_selection

        return Choice(make_selection(self.select))
