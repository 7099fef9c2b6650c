"""The mapping, compiled once for the columns of an extract: cells in, a row or its problems out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_provider_payrecords.core.commands import COMMANDS, build
from airflow_provider_payrecords.core.errors import CommandError, MappingError
from airflow_provider_payrecords.extract.cell import (
    CellError,
    currency_code,
    lookup_reader,
    major_reader,
    metadata_text,
    minor_amount,
    plain_text,
)
from airflow_provider_payrecords.extract.column import CellReader, Cells, Columns, Place
from airflow_provider_payrecords.extract.field import METADATA, OUTCOME, Kind, request_fields
from airflow_provider_payrecords.extract.instant import instant_reader
from airflow_provider_payrecords.extract.key import key_text
from airflow_provider_payrecords.extract.mapping import ExtractMapping, FieldSpec, is_reserved
from airflow_provider_payrecords.extract.origin import locate_all, origins_by_name, reference_of
from airflow_provider_payrecords.extract.row import Problem, Row, RowProblem

_TYPED = ("payment_method_details", "processor_details")
_OPEN_VALUES = frozenset({"outcome", "customer_presence"})
"""Fields with a closed set of values: what stands in the extract instead is no personal data."""

_PLAIN: dict[Kind, Callable[[Any], Any]] = {
    Kind.TEXT: plain_text,
    Kind.AMOUNT: minor_amount,
    Kind.CURRENCY: currency_code,
    Kind.TIME: instant_reader(None, None),
    Kind.METADATA: metadata_text,
}


@dataclass(frozen=True, slots=True)
class Step:
    """
    How one request field gets its value.

    Attributes:
        read: Finds the cell, or None where the default is all there is.
        convert: Makes the value of a cell; of a cell and its currency if the step ``is_major``.
        detail: The outcome the field belongs to, or None.
        default: Sent where the cell is empty.
        is_leaf: The field takes one value, and no group of others.
        may_be_left_out: A cell that is not empty may leave the field out.
    """

    field: str
    path: tuple[str, ...]
    label: str
    read: CellReader | None
    convert: Callable[..., Any]
    detail: str | None
    default: Any = None
    is_major: bool = False
    is_leaf: bool = True
    may_be_left_out: bool = False


class RowMapper:
    """
    Turns the cells of one row after another into commands.

    Attributes:
        used: The columns it reads, in the order in which a row's cells are to be given.
        command: The call each row makes.
        steps: How the fields get their values, in the order in which they are filled.
        objects: Fields that hold others.
        reference: Path of the field that is the key, or empty if the key comes from columns.
        key_columns: The columns that make the key as they are, or none if it is made otherwise.
    """

    def __init__(self, mapping: ExtractMapping, columns: Columns) -> None:
        """
        Compile *mapping*.

        Raises:
            MappingError: It names columns the extract does not have, no key can be told, or a constant cannot be sent.
        """
        self._fields = request_fields(mapping.endpoint)
        self.objects = self._fields.objects
        self.command = COMMANDS[mapping.endpoint]
        self._positions: dict[str, int] = {}
        origins = mapping.fields or origins_by_name(columns, mapping.key, mapping.endpoint)
        self.reference = () if mapping.key else _path(reference_of(mapping, columns))
        named = [*mapping.key, *(spec.column for spec in origins.values() if spec.column is not None)]
        located = locate_all(columns, named)
        self._key = [self._reader(located[name]) for name in mapping.key]
        self._key_label = ", ".join(f"'{name}'" for name in mapping.key) or f"'{'.'.join(self.reference)}'"
        steps = [self._step(field, spec, located) for field, spec in origins.items()]
        self._outcome = [step for step in steps if step.field == OUTCOME]
        rest = [step for step in steps if step.field != OUTCOME]
        self._steps = sorted(rest, key=lambda step: step.is_major)
        self.steps = (*self._outcome, *self._steps)
        self._labels = {step.field: step.label for step in steps}
        self.used = tuple(self._positions)
        is_whole = all(not read.path for read in self._key)
        self.key_columns = tuple(self.used[read.position] for read in self._key) if is_whole else ()

    def map(self, number: int, cells: Cells) -> Row | RowProblem:
        """
        Return the row that *cells* make, or everything that is wrong with them.

        Args:
            number: Row number in the extract.
            cells: One value for each of ``used``.
        """
        problems: list[Problem] = []
        values: dict[str, Any] = {}
        waiting = self._fill(cells, values, problems)
        problems.extend(self._missing_currencies(waiting, problems))
        key = self._read_key(cells, values, problems)
        command = None
        try:
            command = build(self.command, values)
        except CommandError as error:
            blamed = {problem.field for problem in problems} | waiting
            problems.extend(self._of_command(error, blamed))
        if command is None or key is None or problems:
            return RowProblem(number, key, tuple(problems))
        return Row(number, key, command)

    def key_of(self, cells: Cells) -> str:
        """
        Return the key that columns make.

        Raises:
            CellError: They make none.
        """
        return key_text([read.of_row(cells) for read in self._key])

    def keys_of(self, columns: Sequence[Sequence[Any]]) -> list[str]:
        """
        Return the keys that columns make of many rows, given by the columns ``used``.

        Raises:
            CellError: One of them makes none.
        """
        return list(map(key_text, zip(*[read.of_rows(columns) for read in self._key], strict=True)))

    def _read_key(self, cells: Cells, values: dict[str, Any], problems: list[Problem]) -> str | None:
        try:
            return self.key_of(cells) if self._key else key_text([_at(values, self.reference)])
        except CellError as error:
            problems.append(Problem("key", error.code, f"Column {self._key_label}: {error.message}."))
            return None

    def _fill(self, cells: Cells, values: dict[str, Any], problems: list[Problem]) -> set[str]:
        """Fill *values*; return the fields left out because another field they depend on is missing."""
        waiting: set[str] = set()
        for step in self._outcome:
            self._apply(step, cells, values, problems, waiting)
        outcome = values.get(OUTCOME)
        for step in self._steps:
            if step.detail is None or step.detail == outcome:
                self._apply(step, cells, values, problems, waiting)
        for name in _TYPED:
            inner = values.get(name)
            if isinstance(inner, dict) and "type" not in inner and "payment_method" not in inner:
                inner["type"] = "custom"
        return waiting

    def _apply(
        self, step: Step, cells: Cells, values: dict[str, Any], problems: list[Problem], waiting: set[str]
    ) -> None:
        cell = None if step.read is None else step.read.of_row(cells)
        convert = step.convert
        if cell is None or cell == "":
            cell = step.default
            if cell is None:
                return
            convert = convert if step.is_major else _as_it_is
        try:
            if type(cell) is not str and isinstance(cell, Mapping):
                self._spread(step, cell, values, problems)
            elif not step.is_major:
                _place(values, step.path, convert(cell))
            elif (currency := values.get(step.path[0], {}).get("currency")) is not None:
                _place(values, step.path, convert(cell, currency))
            else:
                waiting.add(step.field)
        except CellError as error:
            problems.append(Problem(step.field, error.code, f"{step.label}: {error.message}."))

    def _spread(self, step: Step, cell: Mapping[Any, Any], values: dict[str, Any], problems: list[Problem]) -> None:
        if step.field not in self._fields.objects:
            raise CellError("invalid_type", "the cell holds several values and the field takes one; name the inner one")
        for field, path, value in _leaves(step.field, step.path, cell):
            kind = self._fields.kind(field)
            try:
                if is_reserved(field):
                    raise CellError("reserved_metadata", f"'{field}' is written by payrecords itself; leave it out")
                if kind is None:
                    raise CellError("parameter_unknown", self._fields.unknown(field).rstrip("."))
                _place(values, path, _PLAIN[kind](value))
            except CellError as error:
                problems.append(Problem(field, error.code, f"{step.label}: {error.message}."))

    def _missing_currencies(self, waiting: set[str], problems: list[Problem]) -> Iterator[Problem]:
        """Yield what nothing else says: an amount in major units means nothing without its currency."""
        named = {problem.field for problem in problems}
        for field in sorted(waiting):
            currency = f"{field.rpartition('.')[0]}.currency"
            if currency not in named:
                yield Problem(currency, "parameter_missing", f"This field is required.{self._origin(currency)}")

    def _of_command(self, error: CommandError, blamed: set[str]) -> Iterator[Problem]:
        for one in error.problems:
            field = one["field"]
            if not any(field == name or name.startswith(f"{field}.") for name in blamed):
                yield Problem(field, one["code"], one["message"] + self._origin(field))

    def _origin(self, field: str) -> str:
        """Return, for the end of a message, what fills *field*, the group it is in, or the fields in it."""
        over = [name for name in self._labels if f"{field}.".startswith(f"{name}.")]
        inside = [name for name in self._labels if name.startswith(f"{field}.")]
        labels = dict.fromkeys(self._labels[name] for name in over or inside)
        return f" ({', '.join(f'{one[0].lower()}{one[1:]}' for one in labels)})" if labels else ""

    def _reader(self, place: Place) -> CellReader:
        column, path = place
        return CellReader(self._positions.setdefault(column, len(self._positions)), path)

    def _step(self, field: str, spec: FieldSpec, located: Mapping[str, Place]) -> Step:
        path = _path(field)
        detail = self._fields.detail(field)
        kind = self._fields.kind(field)
        plain = _not_an_object if kind is None else _plain(kind, spec)
        if spec.column is None:
            value = "" if spec.constant == "" else _converted(field, plain, spec.constant)
            return Step(field, path, "The constant", None, _as_it_is, detail, default=value)
        label = f"Column '{spec.column}'"
        read = self._reader(located[spec.column])
        if spec.unit == "major":
            return Step(field, path, label, read, major_reader(spec.decimal), detail, spec.default, is_major=True)
        default = None if spec.default is None else _converted(field, plain, spec.default)
        may_show = kind is Kind.CURRENCY or field in _OPEN_VALUES
        convert = plain if spec.values is None else _looked_up(lookup_reader(spec.values, may_show=may_show), plain)
        leaves_out = spec.values is not None and None in spec.values.values()
        return Step(
            field, path, label, read, convert, detail, default, is_leaf=kind is not None, may_be_left_out=leaves_out
        )


def _path(field: str) -> tuple[str, ...]:
    root, dot, rest = field.partition(".")
    return (root, rest) if root == METADATA and dot else tuple(field.split("."))


def _place(values: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    if value is None:
        return
    node = values
    for part in path[:-1]:
        node = node.setdefault(part, {})
    node[path[-1]] = value


def _at(values: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        values = values.get(part) if isinstance(values, dict) else None
    return values


def _leaves(field: str, path: tuple[str, ...], cell: Mapping[Any, Any]) -> Iterator[tuple[str, tuple[str, ...], Any]]:
    for name, value in cell.items():
        inner, inner_path = f"{field}.{name}", (*path, str(name))
        if isinstance(value, Mapping) and field != METADATA:
            yield from _leaves(inner, inner_path, value)
        elif value is not None and value != "":
            yield inner, inner_path, value


def _plain(kind: Kind, spec: FieldSpec) -> Callable[[Any], Any]:
    return instant_reader(spec.timezone, spec.format) if kind is Kind.TIME else _PLAIN[kind]


def _looked_up(look_up: Callable[[Any], str | None], plain: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def convert(cell: Any) -> Any:
        text = look_up(cell)
        return None if text is None else plain(text)

    return convert


def _converted(field: str, plain: Callable[[Any], Any], value: Any) -> Any:
    try:
        return plain(value)
    except CellError as error:
        raise MappingError(f"The mapping's constant or default for '{field}': {error.message}.") from None


def _as_it_is(value: Any) -> Any:
    return value


def _not_an_object(cell: Any) -> Any:
    raise CellError("invalid_type", f"a {type(cell).__name__} cannot fill this group of fields; map the fields in it")
