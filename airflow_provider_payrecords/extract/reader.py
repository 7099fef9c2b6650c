"""
How each file format is read by DuckDB: the columns first, then a SELECT for one file.

CSV is never sniffed: on DuckDB 2.0 one broken line is enough for the sniffer to take quotes for data, or the whole line
for one column, without an error. The first line decides, and each further line must fit it.
"""

from __future__ import annotations

import csv
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb

from airflow_provider_payrecords.core.errors import ExtractError
from airflow_provider_payrecords.extract.explain import explained
from airflow_provider_payrecords.extract.integrity import NONE
from airflow_provider_payrecords.extract.mapping import ReadOptions
from airflow_provider_payrecords.extract.sqltype import Type, loading_type, quoted_text

if TYPE_CHECKING:
    from duckdb.sqltypes import DuckDBPyType

_SUFFIXES = {
    "csv": "csv",
    "tsv": "csv",
    "txt": "csv",
    "jsonl": "jsonl",
    "ndjson": "jsonl",
    "json": "json",
    "parquet": "parquet",
    "pq": "parquet",
}
_WORKBOOKS = frozenset({"xlsx", "xlsm", "xls", "ods"})
_PACKED = (".gz", ".gzip", ".zst", ".zstd")
_BUFFER_BYTES = 4_000_000
"""Twice the longest line that DuckDB reads; its default is 32 MB."""
_DELIMITERS = (",", ";", "\t", "|")
_NAMES = {"\t": "tab"}
_LINE_SEPARATOR = "\x1e"
"""A delimiter that text does not hold, to read whole lines."""


@dataclass(frozen=True, slots=True)
class PreparedFile:
    """A file that DuckDB can read: its path, the name people know it by, and how it is compressed."""

    path: str
    name: str
    compression: str


class FormatReader(ABC):
    """
    One format of file.

    Attributes:
        format_name: ``csv``, ``jsonl``, ``json`` or ``parquet``.
        types: Name and type of each column, in order, once ``describe`` was called.
        hint: What to look at when a column is not there.
    """

    format_name: str
    types: dict[str, Type]
    hint: str = ""

    @abstractmethod
    def describe(self, database: duckdb.DuckDBPyConnection, files: Sequence[PreparedFile]) -> None:
        """Find out the columns, and check that all *files* have the same."""

    @abstractmethod
    def relation(self, file: PreparedFile) -> str:
        """Return the SQL that reads *file* with the columns of ``types``."""


def format_of(name: str, is_parquet: bool, options: ReadOptions) -> str:
    """
    Return the format of the file *name*.

    Raises:
        ExtractError: Its name does not tell, or says that it is a workbook.
    """
    if options.format is not None:
        return options.format
    stem = name.casefold()
    for packed in _PACKED:
        stem = stem.removesuffix(packed)
    suffix = stem.rpartition(".")[2] if "." in stem else ""
    found = "parquet" if is_parquet else _SUFFIXES.get(suffix)
    if found is None and suffix in _WORKBOOKS:
        raise ExtractError(f"{name} is a workbook, as Excel writes it; these are not read. Export it as CSV.")
    if found is None:
        raise ExtractError(
            f"{name}: its name does not say what it is. Set options.format to csv, jsonl, json or parquet."
        )
    return found


def make_reader(format_name: str, options: ReadOptions) -> FormatReader:
    """Return the reader of *format_name*."""
    if format_name == "csv":
        return CsvReader(options)
    return ParquetReader() if format_name == "parquet" else JsonReader(format_name)


class CsvReader(FormatReader):
    """Text columns, one header for all files, each line as long as the header."""

    format_name = "csv"

    def __init__(self, options: ReadOptions) -> None:
        self._options = options
        self._delimiter = options.delimiter or ""

    def describe(self, database: duckdb.DuckDBPyConnection, files: Sequence[PreparedFile]) -> None:
        """Take the columns from the first line of the first file; every other file must have the same."""
        lines = [self._first_line(database, file) for file in files]
        self._delimiter = self._options.delimiter or _delimiter(lines[0], self._options.quote, files[0].name)
        names = self._split(lines[0], files[0].name)
        for line, file in zip(lines, files, strict=True):
            if self._split(line, file.name) != names:
                raise ExtractError(f"{file.name} has other columns than {files[0].name}. Read them one by one.")
        self.types = dict.fromkeys(names, Type("VARCHAR"))
        self.hint = (
            _hint(names, self._delimiter) if self._options.header else " Without header they are column0, column1."
        )

    def relation(self, file: PreparedFile) -> str:
        """Return a strict read_csv that knows everything beforehand."""
        columns = ", ".join(f"{quoted_text(name)}: 'VARCHAR'" for name in self.types)
        return self._read_csv(file, self._delimiter, self._options.quote, self._options.header, f"{{{columns}}}")

    def _first_line(self, database: duckdb.DuckDBPyConnection, file: PreparedFile) -> str:
        sql = self._read_csv(file, _LINE_SEPARATOR, "", False, "{'line': 'VARCHAR'}", is_strict=False)
        with explained(file.name, self.format_name):
            row = database.execute(f"SELECT line FROM {sql} LIMIT 1").fetchone()
        if row is None or not row[0]:
            raise ExtractError(f"{file.name} has no header. Check the task that writes it.")
        return str(row[0])

    def _read_csv(
        self, file: PreparedFile, delimiter: str, quote: str, header: bool, columns: str, is_strict: bool = True
    ) -> str:
        return (
            f"read_csv({quoted_text(file.path)}, auto_detect = false, delim = {quoted_text(delimiter)}, "
            f"quote = {quoted_text(quote)}, escape = {quoted_text(quote)}, header = {header}, "
            f"compression = {_compression(file.compression)}, strict_mode = {is_strict}, null_padding = false, "
            f"hive_partitioning = false, buffer_size = {_BUFFER_BYTES}, columns = {columns})"
        )

    def _split(self, line: str, name: str) -> list[str]:
        quote = self._options.quote
        dialect: dict[str, Any] = {"quotechar": quote} if quote else {"quoting": csv.QUOTE_NONE}
        try:
            cells = next(csv.reader([line], delimiter=self._delimiter, strict=True, **dialect))
        except csv.Error:
            raise ExtractError(f"{name}: the first line has a quote that is not closed. Check options.quote.") from None
        if not self._options.header:
            return [f"column{position}" for position in range(len(cells))]
        names = [cell.strip() or f"column{position}" for position, cell in enumerate(cells)]
        folded = [one.casefold() for one in names]
        if len(set(folded)) < len(folded):
            twice = next(position for position, one in enumerate(folded) if one in folded[:position])
            raise ExtractError(f"{name}: column {twice + 1} has the name of an earlier one. Rename it in the header.")
        return names


class JsonReader(FormatReader):
    """Columns are the fields of all objects; what only looks like a time or a UUID stays text."""

    def __init__(self, format_name: str) -> None:
        self.format_name = format_name
        self._format = "newline_delimited" if format_name == "jsonl" else "auto"

    def describe(self, database: duckdb.DuckDBPyConnection, files: Sequence[PreparedFile]) -> None:
        """Read all objects once to learn their fields."""
        paths = ", ".join(quoted_text(file.path) for file in files)
        learning = "sample_size = -1, union_by_name = true, field_appearance_threshold = 0"
        name = files[0].name if len(files) == 1 else f"{files[0].name} or a file after it"
        with explained(name, self.format_name):
            found = _described(database, self._read_json(f"[{paths}]", files[0].compression, learning))
        self.types = {name: loading_type(one) for name, one in found}

    def relation(self, file: PreparedFile) -> str:
        """Return a read_json with the columns of all files."""
        columns = ", ".join(f"{quoted_text(name)}: {quoted_text(one.sql)}" for name, one in self.types.items())
        return self._read_json(quoted_text(file.path), file.compression, f"columns = {{{columns}}}")

    def _read_json(self, paths: str, compression: str, options: str) -> str:
        return (
            f"read_json({paths}, format = '{self._format}', records = 'true', hive_partitioning = false, "
            f"compression = {_compression(compression)}, {options})"
        )


class ParquetReader(FormatReader):
    """Columns as they are typed; all files must have the same."""

    format_name = "parquet"

    def describe(self, database: duckdb.DuckDBPyConnection, files: Sequence[PreparedFile]) -> None:
        """Compare the schemas of all files."""
        for file in files:
            with explained(file.name, self.format_name):
                types = {name: Type.of(one) for name, one in _described(database, self.relation(file))}
            if file is files[0]:
                self.types = types
            elif [*types.items()] != [*self.types.items()]:
                raise ExtractError(
                    f"{file.name} has other columns or types than {files[0].name}. Read them one by one."
                )

    def relation(self, file: PreparedFile) -> str:
        """Return a read_parquet; columns that old writers marked as bytes are text."""
        return f"read_parquet({quoted_text(file.path)}, binary_as_string = true, hive_partitioning = false)"


def _described(database: duckdb.DuckDBPyConnection, relation: str) -> list[tuple[str, DuckDBPyType]]:
    sql = f"SELECT * FROM {relation} LIMIT 0"
    return [(column[0], column[1]) for column in database.execute(sql).description or ()]


def _compression(compression: str) -> str:
    return quoted_text("uncompressed" if compression == NONE else compression)


def _delimiter(line: str, quote: str, name: str) -> str:
    outside = "".join(line.split(quote)[::2]) if quote else line
    counts = {one: outside.count(one) for one in _DELIMITERS}
    best = max(counts.values())
    found = [one for one, count in counts.items() if count == best]
    if best and len(found) > 1:
        raise ExtractError(f"{name}: the first line may be separated by {' or '.join(map(_name, found))}. {_SET}")
    return found[0]


def _hint(names: list[str], delimiter: str) -> str:
    other = next((one for one in _DELIMITERS if one != delimiter and one in names[0]), None)
    if len(names) == 1 and other is not None:
        return f" The file looks like {_name(other)} separated: set options.delimiter."
    return " If the first line is no header, set options.header: false."


def _name(delimiter: str) -> str:
    return _NAMES.get(delimiter, f"'{delimiter}'")


_SET = "Set options.delimiter."
