"""The columns an extract has, and how a name in the mapping finds its cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Union

from airflow_provider_payrecords.extract.field import nearest

Shape = Union[Mapping[str, "Shape"], None]  # noqa: UP007 - the name is not defined yet when the line runs
"""What a column holds: None for one value or anything, else the shapes of the fields inside it."""

Place = tuple[str, tuple[str, ...]]
"""A column, and the path inside it."""

Cells = Sequence[Any]
"""What a row holds, one value for each column that is used."""

_MAX_LISTED = 20


@dataclass(frozen=True, slots=True)
class Columns:
    """
    The columns of an extract.

    Attributes:
        shapes: Name of each column, in order, and what it holds.
        is_open: Cells may hold mappings that no shape tells of, as with dictionaries and JSON from a database.
        late: Columns that no row has shown yet and that may still come.
        hint: What to look at when a column is not there; ends a message.
        extract: Name of the extract that people know.
    """

    shapes: Mapping[str, Shape]
    is_open: bool = False
    late: tuple[str, ...] = ()
    hint: str = ""
    extract: str = ""

    def locate(self, name: str) -> Place | None:
        """Return the column of *name* and the path inside it, or None. The exact name wins over a path."""
        if name in self.shapes or name in self.late:
            return name, ()
        parts = name.split(".")
        for cut in range(len(parts) - 1, 0, -1):
            column, path = ".".join(parts[:cut]), tuple(parts[cut:])
            if column in self.shapes and self._holds(column, path):
                return column, path
        return None

    @property
    def subject(self) -> str:
        """The extract as the subject of a sentence."""
        return f"The extract '{self.extract}'" if self.extract else "The extract"

    def missing(self, names: Sequence[str]) -> str:
        """Say that the extract has no columns *names*, with the nearest that it has."""
        known = list(self.shapes)
        asked = ", ".join(f"'{name}'" for name in names)
        close = "".join(nearest(name, known) for name in names)
        return f"{self.subject} has no column {asked}. It has {len(known)}.{close}{self.hint}"

    def listing(self) -> str:
        """Return the names, for a message; only for an extract whose header is known to be one."""
        names = list(self.shapes)
        more = f" and {len(names) - _MAX_LISTED} more" if len(names) > _MAX_LISTED else ""
        return f" Columns: {', '.join(names[:_MAX_LISTED])}{more}."

    def _holds(self, column: str, path: tuple[str, ...]) -> bool:
        if self.is_open:
            return True
        shape = self.shapes[column]
        for part in path:
            if shape is None or part not in shape:
                return False
            shape = shape[part]
        return True


class CellReader(NamedTuple):
    """
    Finds a cell.

    Attributes:
        position: Place of its column among those that are used.
        path: Way inside it; a cell whose way ends early is None.
    """

    position: int
    path: tuple[str, ...] = ()

    def of_row(self, cells: Cells) -> Any:
        """Return the cell of one row."""
        return _inside(cells[self.position], self.path)

    def of_rows(self, columns: Sequence[Sequence[Any]]) -> Sequence[Any]:
        """Return the cells of many rows, given by their columns."""
        column = columns[self.position]
        return [_inside(cell, self.path) for cell in column] if self.path else column


def _inside(cell: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        cell = cell.get(part) if isinstance(cell, Mapping) else None
    return cell
