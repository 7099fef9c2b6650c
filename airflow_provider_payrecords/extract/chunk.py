"""
A chunk of rows, mapped by columns.

Rows that fill the same fields go through each conversion together, and their shape (``core/shape.py``) checks and
writes them together. Every conversion is the one of ``mapper.py``, and whatever is refused on the way is halved until
the single row is found, which the mapper then explains. So this module decides nothing: it only saves time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import Any, NamedTuple

from pydantic import ValidationError

from airflow_provider_payrecords.core.commands import Command
from airflow_provider_payrecords.core.errors import CommandError
from airflow_provider_payrecords.core.shape import Draft, Path, Shape, is_closed, may_have_shapes
from airflow_provider_payrecords.extract.cell import CellError
from airflow_provider_payrecords.extract.column import CellReader, Cells
from airflow_provider_payrecords.extract.field import OUTCOME
from airflow_provider_payrecords.extract.key import key_text
from airflow_provider_payrecords.extract.mapper import RowMapper, Step
from airflow_provider_payrecords.extract.row import Row, RowProblem

MAX_SHAPES = 1000
"""So many are remembered; the rows of any further one are mapped one by one."""

Numbered = tuple[int, Cells]
Signature = tuple[Any, ...]
Columns = list[Sequence[Any]]


class _Field(NamedTuple):
    """A request field that comes from the rows; other fields may depend on a closed one."""

    step: Step
    read: CellReader
    is_closed: bool


class ChunkMapper:
    """
    Gives for each row exactly what *mapper* gives, faster.

    Args:
        mapper: Says what each row is.
    """

    def __init__(self, mapper: RowMapper) -> None:
        self._mapper = mapper
        self._fields = [
            _Field(step, step.read, _decides(mapper.command, step)) for step in mapper.steps if step.read is not None
        ]
        self._shapes: dict[Signature, _Group] = {}
        self._is_off = not may_have_shapes(mapper.command)

    def map(self, rows: Sequence[Numbered]) -> list[Row | RowProblem]:
        """Return what each of *rows*, numbers and cells, is."""
        if not rows:
            return []
        found: dict[int, Row | RowProblem] = {}
        for signature, group in self._by_signature(rows).items():
            found.update((row.number, row) for row in self._mapped(signature, group))
        return [found[number] for number, _ in rows]

    def _by_signature(self, rows: Sequence[Numbered]) -> dict[Signature, list[Numbered]]:
        """Group the rows that have values in the same cells, and the same ones where a cell decides on others."""
        parts: list[Any] = [repeat(None, len(rows))]
        columns = _columns(rows)
        for _, read, is_closed_one in self._fields:
            column = read.of_rows(columns)
            if is_closed_one:
                parts += [list(map(type, column)), column]
            elif None in column or "" in column:
                parts.append([cell is None or cell == "" for cell in column])
            else:
                parts.append(repeat(False))
        groups: dict[Signature, list[Numbered]] = {}
        try:
            for signature, row in zip(zip(*parts, strict=False), rows, strict=False):
                groups.setdefault(signature, []).append(row)
        except TypeError:  # a cell that decides is a list or a mapping: no two rows are known to be alike
            return {(): list(rows)}
        return groups

    def _mapped(self, signature: Signature, rows: list[Numbered]) -> Iterator[Row | RowProblem]:
        group = self._shapes.get(signature)
        left = iter(rows)
        if group is None and signature and not self._is_off and len(self._shapes) < MAX_SHAPES:
            for number, cells in left:
                row = self._mapper.map(number, cells)
                yield row
                if isinstance(row, Row):
                    group = self._shapes[signature] = _Group(self._mapper, self._fields, row, cells)
                    break
        yield from self._halved(group, list(left))

    def _halved(self, group: _Group | None, rows: list[Numbered]) -> Iterator[Row | RowProblem]:
        if group is None or not group.is_known:
            yield from (self._mapper.map(number, cells) for number, cells in rows)
            return
        try:
            yield from group.map(rows) if rows else ()
        except (CellError, CommandError, ValidationError):
            if len(rows) == 1:
                yield self._mapper.map(*rows[0])
                return
            middle = len(rows) // 2
            yield from self._halved(group, rows[:middle])
            yield from self._halved(group, rows[middle:])


class _Group:
    """
    Rows of one signature.

    Attributes:
        is_known: Whether their shape could be learned. If not, the mapper maps them one by one.
    """

    def __init__(self, mapper: RowMapper, fields: list[_Field], sample: Row, cells: Cells) -> None:
        self._mapper = mapper
        outcome = getattr(sample.command, OUTCOME, None)
        applied = [
            field
            for field in fields
            if field.step.detail in (None, outcome) and field.read.of_row(cells) not in (None, "")
        ]
        self._open = [field for field in applied if not field.is_closed]
        leaves = [field.step.path for field in self._open]
        left = [field.step for field in fields if field not in self._open]
        blank_major = any(step.is_major and step.default is not None for step in left)
        whole = any(field.step.field in mapper.objects for field in applied)
        self.is_known = bool(leaves) and not whole and not blank_major
        if self.is_known:
            self._shape = Shape(sample.command, leaves)
            self._currencies = [self._currency_of(sample.command, field.step, leaves) for field in self._open]
            self._reference = leaves.index(mapper.reference) if mapper.reference in leaves else None
            self.is_known = not mapper.reference or self._reference is not None

    def map(self, rows: list[Numbered]) -> list[Row | RowProblem]:
        """
        Return what each of *rows* is.

        Raises:
            CellError, CommandError, ValidationError: At least one of them has a problem.
        """
        columns = _columns(rows)
        values: Columns = []
        for (step, read, _), currency in zip(self._open, self._currencies, strict=True):
            column = read.of_rows(columns)
            if step.is_major:
                codes = values[currency] if isinstance(currency, int) else repeat(currency)
                values.append(list(map(step.convert, column, codes)))
            else:
                values.append(list(map(step.convert, column)))
        if self._reference is None:
            keys = self._mapper.keys_of(columns)
        else:
            keys = [key_text((value,)) for value in values[self._reference]]
        drafts = self._shape.take(values)
        return list(map(Row, [number for number, _ in rows], keys, drafts))

    def _currency_of(self, sample: Command, step: Step, leaves: list[Path]) -> Any:
        """Return where the currency of an amount in major units is: a place among the leaves, or the same for all."""
        path = (step.path[0], "currency")
        if not step.is_major:
            return None
        return leaves.index(path) if path in leaves else getattr(sample, step.path[0]).currency


def _columns(rows: Sequence[Numbered]) -> Columns:
    return list(zip(*[cells for _, cells in rows], strict=True))


def _decides(command: type[Command], step: Step) -> bool:
    return step.may_be_left_out or (step.is_leaf and is_closed(command, step.path))


__all__ = ["ChunkMapper", "Draft"]
