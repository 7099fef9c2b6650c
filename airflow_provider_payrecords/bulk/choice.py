"""
Which rows of an extract a replay takes: rejects that are named by reason, by row or by key.

A choice looks at the ledger and changes nothing. A row that is not chosen is neither sent nor claimed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from airflow_provider_payrecords.bulk.lines import dotted
from airflow_provider_payrecords.bulk.prepare import Prepared
from airflow_provider_payrecords.core.entry import Entry
from airflow_provider_payrecords.core.errors import UsageError
from airflow_provider_payrecords.core.lifecycle import State
from airflow_provider_payrecords.core.replay import is_asked_for
from airflow_provider_payrecords.extract import RowProblem

MAX_NAMED = 10_000
"""Row numbers or keys that can be named one by one. More are better said by their reason."""
MAX_MISSING = 10

RowT = TypeVar("RowT", bound=Prepared | RowProblem)


def _one_or_more(value: Any) -> Any:
    return [value] if isinstance(value, (str, int)) else value


class RejectSelection(BaseModel):
    """
    Which rejects are sent again. What is given must all hold; several values of one kind are alternatives.

    Attributes:
        codes: Error codes that the ledger has for them, such as ``resource_missing``.
        params: Fields that the API blamed, as dotted paths.
        rows: Numbers of rows in the extract, from 1.
        keys: Row keys.
        all: Every reject of the extract. For itself only.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    codes: Annotated[frozenset[str], BeforeValidator(_one_or_more)] = frozenset()
    params: Annotated[frozenset[str], BeforeValidator(_one_or_more)] = frozenset()
    rows: Annotated[frozenset[Annotated[int, Field(ge=1)]], BeforeValidator(_one_or_more)] = frozenset()
    keys: Annotated[frozenset[str], BeforeValidator(_one_or_more)] = frozenset()
    all: bool = False

    @model_validator(mode="after")
    def _says_what(self) -> RejectSelection:
        if self.all == bool(self.codes or self.params or self.rows or self.keys):
            raise ValueError("say which rejects: codes, params, rows or keys; or all, and none of these")
        if max(len(self.rows), len(self.keys)) > MAX_NAMED:
            raise ValueError(f"at most {MAX_NAMED} rows or keys can be named; choose them by codes or params")
        return self

    @property
    def names_rows(self) -> bool:
        """Whether rows are named one by one, so that each of them is answered for."""
        return bool(self.rows or self.keys)


def make_selection(given: Any) -> RejectSelection:
    """
    Return the selection that *given* stands for.

    Raises:
        UsageError: It says nothing, or something that there is not.
    """
    if isinstance(given, RejectSelection):
        return given
    if not isinstance(given, Mapping):
        raise UsageError("select: give a mapping such as {'codes': ['resource_missing']}, or {'all': True}.")
    try:
        return RejectSelection.model_validate(dict(given))
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        said = "; ".join(
            ": ".join((*map(str, one["loc"]), one["msg"].removeprefix("Value error, "))) for one in problems
        )
        raise UsageError(f"select: {said}.") from None


LookUp = Callable[[Sequence[str]], Mapping[str, Entry]]


@dataclass
class Choice:
    """
    The choice of one replay, made batch by batch.

    Attributes:
        left_alone: Rows that were not chosen.
    """

    selection: RejectSelection
    left_alone: int = 0
    _seen: set[str | int] = field(default_factory=set)

    def pick(
        self, batch: Sequence[tuple[int, RowT]], look_up: LookUp
    ) -> tuple[list[tuple[int, RowT]], list[tuple[int, RowT, Entry]]]:
        """
        Return the rows of *batch* to be sent, and those that are named but are no rejects, with their entries.

        A named row that the ledger does not know was never sent: our checks refused it, or it is new. It is sent.
        """
        sent: list[tuple[int, RowT]] = []
        others: list[tuple[int, RowT, Entry]] = []
        known = look_up([item.intent.key for _, item in batch if isinstance(item, Prepared)])
        for order, item in batch:
            entry = known.get(item.intent.key) if isinstance(item, Prepared) else None
            if not self._is_chosen(item, entry):
                self.left_alone += 1
            elif entry is None or _is_reject(entry):
                sent.append((order, item))
            else:
                others.append((order, item, entry))
        return sent, others

    def missing(self) -> list[str]:
        """Return the first named rows and keys that the extract does not have."""
        wanted = self.selection
        gone: list[int | str] = [*sorted(wanted.rows - self._seen), *sorted(wanted.keys - self._seen)]
        return [f"row {one}" if isinstance(one, int) else one for one in gone[:MAX_MISSING]]

    def _is_chosen(self, item: Prepared | RowProblem, entry: Entry | None) -> bool:
        number, key = _identity(item)
        self._seen.update(one for one in (number, key) if one in self.selection.rows or one in self.selection.keys)
        wanted = self.selection
        if not ((not wanted.rows or number in wanted.rows) and (not wanted.keys or key in wanted.keys)):
            return False
        if isinstance(item, RowProblem):
            return any(self._has_reason(one.code, one.field) for one in item.problems)
        if entry is None:
            return wanted.names_rows and not (wanted.codes or wanted.params)
        if not _is_reject(entry):
            return wanted.names_rows
        return self._has_reason(entry.error_code, dotted(entry.error_param))

    def _has_reason(self, code: str | None, param: str | None) -> bool:
        wanted = self.selection
        return (not wanted.codes or code in wanted.codes) and (not wanted.params or param in wanted.params)


def _is_reject(entry: Entry) -> bool:
    """Say whether *entry* was refused, be it that somebody asked for its replay before."""
    return entry.state is State.REJECTED or (entry.state is State.PLANNED and is_asked_for(entry))


def _identity(item: Prepared | RowProblem) -> tuple[int, str | None]:
    return (item.row_number, item.intent.key) if isinstance(item, Prepared) else (item.number, item.key)


def chosen(
    batches: Iterator[list[tuple[int, RowT]]],
    choice: Choice,
    look_up: LookUp,
    answer: Callable[[int, RowT, Entry], None],
) -> Iterator[list[tuple[int, RowT]]]:
    """Yield what *choice* takes of *batches*; *answer* is called for each named row that is no reject."""
    for batch in batches:
        sent, others = choice.pick(batch, look_up)
        for order, item, entry in others:
            answer(order, item, entry)
        if sent:
            yield sent
