"""
The mapping: which column, converted how, fills which request field.

The same value comes from Python, from a YAML file and from the command line. It is checked against the endpoint's
fields here; against the extract's columns when the extract is opened.
"""

from __future__ import annotations

import codecs
import os
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)

from airflow_provider_payrecords.core.errors import MappingError
from airflow_provider_payrecords.extract.document import read_document
from airflow_provider_payrecords.extract.field import (
    ENDPOINTS,
    METADATA,
    RESERVED_METADATA,
    Fields,
    Kind,
    nearest,
    request_fields,
)
from airflow_provider_payrecords.extract.instant import check_format, check_timezone

_ESCAPES = {"\\t": "\t", "tab": "\t"}
_CONVERSIONS = {"unit": Kind.AMOUNT, "decimal": Kind.AMOUNT, "timezone": Kind.TIME, "format": Kind.TIME}


def _one_or_many(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _exact(value: Any) -> Any:
    if not isinstance(value, (str, int, Decimal, date)):
        raise ValueError("write it as text, a whole number or null: a float or another type is not exact")
    return value


def _lookup(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    if any(isinstance(key, bool) or not isinstance(key, (str, int)) for key in value):
        raise ValueError("write each value of the extract as text in quotes, such as 'Yes'")
    return {str(key): target for key, target in value.items()}


def _delimiter(value: Any) -> Any:
    return _ESCAPES.get(value, value) if isinstance(value, str) else value


def _encoding(value: str) -> str:
    try:
        "a".encode(value)
    except LookupError:
        raise ValueError("no such text encoding; examples: utf-8, latin-1, cp1252, utf-16") from None
    return codecs.lookup(value).name


def _endpoint(value: str) -> str:
    if value not in ENDPOINTS:
        raise ValueError(f"not a call for rows.{nearest(value, ENDPOINTS)} Known: {', '.join(ENDPOINTS)}")
    return value


def _printable(value: str) -> str:
    if not value.isprintable() or value != value.strip():
        raise ValueError("must be printable text without spaces around it")
    return value


Columns = Annotated[tuple[str, ...], BeforeValidator(_one_or_many)]
Exact = Annotated[Any, AfterValidator(_exact)]
Lookup = Annotated[dict[str, str | None], BeforeValidator(_lookup)]
Delimiter = Annotated[str, BeforeValidator(_delimiter), Field(min_length=1, max_length=1)]


class ReadOptions(BaseModel):
    """
    How a file is read.

    Attributes:
        delimiter: One character between CSV columns. None: found in the first line among ``, ; | tab``.
        quote: One character around CSV values, or empty for none.
        encoding: A text encoding Python knows, for CSV and JSON.
        header: Whether the first CSV line names the columns; without, they are ``column0``, ``column1``, ….
        format: None: by the name's ending (csv, tsv, txt; json, jsonl, ndjson; parquet).
        compression: None: by the first bytes.
        allow_empty: Whether an extract without rows is fine; else it is an error.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    delimiter: Delimiter | None = None
    quote: Annotated[str, Field(max_length=1)] = '"'
    encoding: Annotated[str, AfterValidator(_encoding)] = "utf-8"
    header: bool = True
    format: Literal["csv", "jsonl", "json", "parquet"] | None = None
    compression: Literal["none", "gzip", "zstd"] | None = None
    allow_empty: bool = False


class FieldSpec(BaseModel):
    """
    Where the value of one request field comes from. Plain text stands for ``column``.

    Attributes:
        column: Name of a column; a dotted path reaches into a nested one.
        constant: The same value for each row. Empty text asks the API to clear the field, where it can.
        unit: ``major`` (49.50) is converted by the row's currency, ``minor`` (4950) is sent as it is.
        decimal: The decimal sign of text in major units. None: a point, and text that may as well be thousands
            (``1.000``) is a problem.
        timezone: IANA name of the zone of times that carry none.
        format: ``strptime`` pattern of times that are not ISO 8601.
        values: What each value of the column means; null leaves the field out.
        default: Stands in for an empty cell; ``values`` is not applied to it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    column: Annotated[str, Field(min_length=1)] | None = None
    constant: Exact | None = None
    unit: Literal["minor", "major"] = "minor"
    decimal: Literal[".", ","] | None = None
    timezone: Annotated[str, AfterValidator(check_timezone)] | None = None
    format: Annotated[str, AfterValidator(check_format)] | None = None
    values: Lookup | None = None
    default: Exact | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_column(cls, value: Any) -> Any:
        return {"column": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_origin(self) -> FieldSpec:
        if (self.column is None) == (self.constant is None):
            raise ValueError("name either a column or a constant")
        extra = sorted(self.model_fields_set - {"constant", "column"})
        if self.constant is not None and extra:
            raise ValueError(f"a constant takes no {extra[0]}; write the value as it is to be sent")
        if self.decimal is not None and self.unit == "minor":
            raise ValueError("decimal goes with unit: major")
        return self


class ExtractMapping(BaseModel):
    """
    How the rows of an extract become calls.

    Attributes:
        source: Namespace of the keys: one name for each system that payments come from.
        key: Columns that identify a payment. Empty: the payment's (or the refund's) reference.
        endpoint: The call made for each row.
        fields: Origin of each request field by dotted path. Empty: the columns are request fields already.
        where: SQL condition over the extract; rows that do not meet it are left out.
        sql: SELECT over the relation ``extract`` that replaces it.
        options: How a file is read.

    Raises:
        MappingError: Something in it cannot work.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_printable)] = "default"
    key: Columns = ()
    endpoint: Annotated[str, AfterValidator(_endpoint)] = "report_payment"
    fields: dict[str, FieldSpec] = Field(default_factory=dict)
    where: str | None = None
    sql: str | None = None
    options: ReadOptions = ReadOptions()

    @classmethod
    def load(cls, value: ExtractMapping | Mapping[str, Any] | str | os.PathLike[str] | None) -> ExtractMapping:
        """
        Return the mapping that *value* is, describes, or names.

        Args:
            value: A mapping, its keys, the path of a YAML file, or None for the default.

        Raises:
            MappingError: The file cannot be read, or something in it cannot work.
        """
        if isinstance(value, ExtractMapping):
            return value
        if isinstance(value, (str, os.PathLike)):
            return cls._of_file(Path(value))
        return cls.model_validate(dict(value or {}))

    @classmethod
    def _of_file(cls, path: Path) -> ExtractMapping:
        document = read_document(path)
        try:
            return cls.model_validate(document)
        except MappingError as error:
            raise MappingError(f"Mapping file {path}: {error}") from None

    @model_validator(mode="wrap")
    @classmethod
    def _as_mapping_error(cls, value: Any, handler: ModelWrapValidatorHandler[ExtractMapping]) -> ExtractMapping:
        try:
            return handler(value)
        except ValidationError as error:
            faults = "; ".join(_fault(detail) for detail in error.errors(include_url=False, include_input=False))
            raise MappingError(f"The mapping cannot be used: {faults}") from None

    @model_validator(mode="after")
    def _fits_endpoint(self) -> ExtractMapping:
        known = request_fields(self.endpoint)
        for path, spec in self.fields.items():
            _check_field(path, spec, known)
        for path in self.fields:
            parent = next((one for one in self.fields if path.startswith(f"{one}.")), None)
            if parent is not None:
                raise MappingError(f"The mapping fills '{path}' twice: by itself and as part of '{parent}'. Keep one.")
        details = [path for path in self.fields if known.detail(path)]
        if details and "outcome" not in self.fields:
            raise MappingError(f"The mapping fills '{details[0]}' but not 'outcome'. Map the outcome as well.")
        if self.where is not None and self.sql is not None:
            raise MappingError("The mapping has both where and sql. Put the condition into sql.")
        return self


def is_reserved(path: str) -> bool:
    """Return whether *path* is a metadata entry that this package writes itself."""
    root, _, name = path.partition(".")
    return root == METADATA and name in RESERVED_METADATA


def check_reserved(path: str) -> None:
    """
    Refuse metadata entries that this package writes itself.

    Raises:
        MappingError: *path* is one of them.
    """
    if is_reserved(path):
        raise MappingError(f"'{path}' is written by payrecords itself. Use another metadata key.")


def _check_field(path: str, spec: FieldSpec, known: Fields) -> None:
    check_reserved(path)
    if not known.is_known(path):
        raise MappingError(f"The mapping cannot be used: {known.unknown(path)}")
    kind = known.kind(path)
    if spec.values is not None and kind in (None, Kind.AMOUNT):
        raise MappingError(
            f"The mapping cannot be used: fields.{path}: 'values' is not for amounts or groups of fields."
        )
    for option, wanted in _CONVERSIONS.items():
        if option in spec.model_fields_set and kind is not wanted:
            raise MappingError(
                f"The mapping cannot be used: fields.{path}: '{option}' is for {wanted.value} fields only."
            )


def _fault(detail: Any) -> str:
    location = [str(part) for part in detail["loc"]]
    message = detail["msg"].removeprefix("Value error, ").removesuffix(".")
    if detail["type"] != "extra_forbidden":
        return f"{'.'.join(location)}: {message}" if location else message
    *parents, name = location
    models: dict[str, type[BaseModel]] = {"options": ReadOptions, "fields": FieldSpec}
    model = models.get(location[0], ExtractMapping) if parents else ExtractMapping
    place = f" in {'.'.join(parents)}" if parents else ""
    return f"unknown key '{name}'{place}.{nearest(name, model.model_fields)}".rstrip(".")
