"""An extract made of files: CSV, JSON and Parquet, local or in object storage."""

from __future__ import annotations

import glob
import os
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from airflow_provider_payrecords.core.errors import ExtractError
from airflow_provider_payrecords.extract.column import Columns
from airflow_provider_payrecords.extract.explain import explained
from airflow_provider_payrecords.extract.integrity import (
    NONE,
    check_whole,
    compression_of,
    has_parquet_magic,
    transcode,
)
from airflow_provider_payrecords.extract.iterable import IterableExtract
from airflow_provider_payrecords.extract.location import ObjectPath, SourceFile, fetch, shown_name
from airflow_provider_payrecords.extract.mapper import RowMapper
from airflow_provider_payrecords.extract.mapping import ExtractMapping, ReadOptions
from airflow_provider_payrecords.extract.reader import FormatReader, PreparedFile, format_of, make_reader
from airflow_provider_payrecords.extract.sqltype import Type
from airflow_provider_payrecords.extract.staging import Staging
from airflow_provider_payrecords.extract.table import Extract, OpenExtract

_UTF_8 = ("utf-8", "utf-8-sig")


class FileExtract(Extract):
    """
    One file or several of one kind, read in the order of their names; row numbers run on from file to file.

    Args:
        location: A path, a glob, a URL that fsspec knows, or a path object of object storage.
    """

    def __init__(self, location: str | os.PathLike[str] | ObjectPath) -> None:
        self.name = shown_name(location)
        self._location = location

    def open(self, mapping: ExtractMapping) -> OpenExtract:
        """Copy the rows into a private database, checking all of them."""
        with ExitStack() as stack:
            staging = Staging()
            stack.callback(staging.close)
            sources = fetch(self._location, staging.folder)
            empty = [source.name for source in sources if source.path.stat().st_size == 0]
            if mapping.options.allow_empty and len(empty) == len(sources):
                return self._nothing(mapping)
            if empty:
                raise ExtractError(f"{empty[0]} is empty: not even a header. Check the task that writes it.")
            reader = make_reader(_format(sources, mapping.options), mapping.options)
            files = _prepare(sources, reader, staging.folder, mapping.options)
            if reader.format_name in ("csv", "parquet") and mapping.sql is None and mapping.where is None:
                staging.use_little_memory()
            reader.describe(staging.database, files)
            mapper = self._load(staging, reader, files, mapping)
            types = staging.types()
            return OpenExtract(
                columns=tuple(types if mapping.sql is not None else reader.types),
                total_rows=staging.count(),
                mapper=mapper,
                read=partial(staging.rows, types, mapper.used),
                close=stack.pop_all().close,
                keys_differ=partial(staging.differ, types, mapper.key_columns),
            )

    def _nothing(self, mapping: ExtractMapping) -> OpenExtract:
        plain = mapping.model_copy(update={"options": ReadOptions(), "where": None, "sql": None})
        return IterableExtract((), self.name).open(plain)

    def _load(
        self, staging: Staging, reader: FormatReader, files: list[PreparedFile], mapping: ExtractMapping
    ) -> RowMapper:
        mapper = None if mapping.sql is not None else RowMapper(mapping, self._columns(reader.types, reader.hint))
        names = tuple(reader.types) if mapper is None or mapping.where is not None else mapper.used
        for file in files:
            with explained(file.name, reader.format_name):
                staging.load(reader.relation(file), names)
        if not staging.count() and not mapping.options.allow_empty:
            raise ExtractError(
                f"{self.name} has columns but no rows. If that may be, set options.allow_empty: true; "
                "else check the task that writes it."
            )
        staging.seal()
        if mapping.where is not None:
            staging.keep_where(mapping.where)
        if mapping.sql is not None:
            staging.replace_by(mapping.sql)
        return mapper or RowMapper(mapping, self._columns(staging.types(), ""))

    def _columns(self, types: dict[str, Type], hint: str) -> Columns:
        return Columns({name: one.shape for name, one in types.items()}, hint=hint, extract=self.name)


def _format(sources: list[SourceFile], options: ReadOptions) -> str:
    found = [format_of(one.name, has_parquet_magic(one.path), options) for one in sources]
    other = next((one.name for one, name in zip(sources, found, strict=True) if name != found[0]), None)
    if other is not None:
        raise ExtractError(f"{other} is of another kind than {sources[0].name}. Read them one by one.")
    return found[0]


def _prepare(sources: list[SourceFile], reader: FormatReader, folder: Path, options: ReadOptions) -> list[PreparedFile]:
    sources = [_plainly_named(one, number, folder) for number, one in enumerate(sources)]
    if reader.format_name == "parquet":
        return [PreparedFile(str(one.path), one.name, NONE) for one in sources]
    files = [_whole(one, number, folder, options) for number, one in enumerate(sources)]
    other = next((one.name for one in files if one.compression != files[0].compression), None)
    if other is not None:
        raise ExtractError(f"{other} is compressed otherwise than {files[0].name}. Read them one by one.")
    return files


def _plainly_named(source: SourceFile, number: int, folder: Path) -> SourceFile:
    """Return a file whose path DuckDB does not take for a pattern."""
    if not glob.has_magic(str(source.path)):
        return source
    link = folder / f"link-{number:06d}"
    link.symlink_to(source.path.resolve())
    return SourceFile(link, source.name)


def _whole(source: SourceFile, number: int, folder: Path, options: ReadOptions) -> PreparedFile:
    compression = options.compression or compression_of(source.path, source.name)
    check_whole(source.path, source.name, compression)
    if options.encoding in _UTF_8:
        return PreparedFile(str(source.path), source.name, compression)
    copy = folder / f"text-{number:06d}"
    transcode(source.path, copy, source.name, options.encoding, compression)
    return PreparedFile(str(copy), source.name, NONE)
