"""What an extract gives out: rows that can be sent, and rows that cannot with the reasons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from airflow_provider_payrecords.core.commands import Command
from airflow_provider_payrecords.core.identity import fingerprint
from airflow_provider_payrecords.core.shape import Draft, command_of


@dataclass(frozen=True, slots=True)
class Problem:
    """
    One thing wrong with a row.

    Attributes:
        field: Dotted request field, or the part of the row (``key``) that is wrong.
        code: Short name of the fault, such as ``float_amount``.
        message: What is wrong and what to do. Never holds free text or personal data of the row.
    """

    field: str
    code: str
    message: str


class Row(NamedTuple):
    """
    A row that can be sent.

    Attributes:
        number: 1 for the first data row of the extract, in file order.
        key: Text that identifies the payment within the mapping's source.
        content: The call to make, or the draft of it.
    """

    number: int
    key: str
    content: Command | Draft

    @property
    def command(self) -> Command:
        """The call to make."""
        return command_of(self.content)

    @property
    def fingerprint(self) -> str:
        """Hash of the content."""
        return self.content.fingerprint if isinstance(self.content, Draft) else fingerprint(self.content)

    @property
    def outcome(self) -> str | None:
        """What became of the payment, or None where the call does not say."""
        content = self.content
        return content.param("outcome") if isinstance(content, Draft) else content.params().get("outcome")

    @property
    def money(self) -> tuple[int | None, str | None]:
        """Amount in minor units and currency, or twice None where the call names no amount."""
        if isinstance(self.content, Draft):
            return self.content.amount_minor, self.content.currency
        amount = self.content.money()
        return (amount.value, amount.currency) if amount else (None, None)


class RowProblem(NamedTuple):
    """A row that cannot be sent. ``key`` is None when the key itself is missing or unusable."""

    number: int
    key: str | None
    problems: tuple[Problem, ...]
