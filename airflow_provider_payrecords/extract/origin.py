"""Where each request field and the key come from: what the mapping says, held against the columns there are."""

from __future__ import annotations

from collections.abc import Iterator

from airflow_provider_payrecords.core.errors import MappingError
from airflow_provider_payrecords.extract.column import Columns, Place, Shape
from airflow_provider_payrecords.extract.field import OUTCOME, REFERENCES, request_fields
from airflow_provider_payrecords.extract.mapping import ExtractMapping, FieldSpec, check_reserved


def origins_by_name(columns: Columns, keys: tuple[str, ...], endpoint: str) -> dict[str, FieldSpec]:
    """
    Return the origins for an extract whose columns are request fields; columns that are only keys are not sent.

    Raises:
        MappingError: A column is neither a request field nor a key, or details come without an outcome.
    """
    known = request_fields(endpoint)
    only_keys = {place[0] for place in map(columns.locate, keys) if place and not known.is_known(place[0])}
    for name, shape in columns.shapes.items():
        if name in only_keys:
            continue
        unknown = next((path for path in _inner_paths(name, shape) if not known.is_known(path)), None)
        if unknown is not None:
            raise MappingError(
                f"{known.unknown(unknown)} Without fields in the mapping every column is sent: "
                f"name the fields, or leave columns out with sql.{columns.hint}"
            )
    names = [name for name in (*columns.shapes, *columns.late) if known.is_known(name)]
    details = [name for name in columns.shapes if known.detail(name)]
    if details and OUTCOME not in columns.shapes:
        raise MappingError(
            f"{columns.subject} has '{details[0]}' but no column 'outcome'. Add it: without, none is sent."
        )
    return {name: FieldSpec(column=name) for name in names}


def _inner_paths(name: str, shape: Shape) -> Iterator[str]:
    check_reserved(name)
    yield name
    for child, inner in (shape or {}).items():
        yield from _inner_paths(f"{name}.{child}", inner)


def reference_of(mapping: ExtractMapping, columns: Columns) -> str:
    """
    Return the field of the payment's own reference, the key of a mapping that names none.

    Raises:
        MappingError: No column fills it.
    """
    reference = REFERENCES.get(mapping.endpoint, "")
    if mapping.fields:
        filling = (spec for path, spec in mapping.fields.items() if f"{reference}.".startswith(f"{path}."))
        is_filled = any(spec.column is not None for spec in filling)
    else:
        is_filled = bool(reference) and columns.locate(reference) is not None
    if is_filled:
        return reference
    wanted = f", or fill {reference} from one" if reference else ""
    raise MappingError(
        f"The mapping names no key. Set key to the column that identifies a payment{wanted}.{columns.hint}"
    )


def locate_all(columns: Columns, names: list[str]) -> dict[str, Place]:
    """
    Return where each of *names* is.

    Raises:
        MappingError: The extract has no such column; all that are missing are named.
    """
    found = {name: columns.locate(name) for name in names}
    missing = [name for name, place in found.items() if place is None]
    if missing:
        is_header = len(missing) < len(found)
        raise MappingError(columns.missing(missing) + (columns.listing() if is_header else ""))
    return {name: place for name, place in found.items() if place is not None}
