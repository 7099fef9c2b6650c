"""Rows by columns: ``extract/chunk.py`` gives what the mapper gives, row by row."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_payrecords.core.shape import Draft
from airflow_provider_payrecords.extract import ExtractMapping, Row, RowProblem
from airflow_provider_payrecords.extract import chunk as chunks
from airflow_provider_payrecords.extract.chunk import ChunkMapper
from airflow_provider_payrecords.extract.column import Columns
from airflow_provider_payrecords.extract.mapper import RowMapper
from tests.extract.sample import FIELDS, mapping

COLUMNS = ("id", "gross", "currency", "created", "status", "payer")
MORE = {
    **FIELDS,
    "amount_requested.value": {"column": "gross", "unit": "major", "default": "1"},
    "customer_presence": {"column": "presence", "values": {"shop": "on_session", "web": "off_session", "?": None}},
    "description": {"column": "text", "default": "none"},
    "metadata.kind": {"column": "kind", "values": {"a": "A", "b": "", "c": None}},
    "metadata.text": "text",
}
DETAILS = {
    "payment_record": "record",
    "amount": "amount",
    "outcome": {"constant": "refunded"},
    "processor_details.custom.refund_reference": "ref",
    "metadata": "metadata",
}
DOTTED = (
    "amount_requested.value",
    "amount_requested.currency",
    "initiated_at",
    "processor_details.custom.payment_reference",
    "payment_method_details.custom.display_name",
    "metadata.note",
)
ODD: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.text(max_size=4),
    st.integers(-5, 10**12),
    st.sampled_from([True, 1.5, "", " a", "\ud800", "x" * 6000, {"value": 5}, {"a": {"b": 1}}, [1], Decimal("1.50")]),
)


def like(*usual: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(usual) | st.sampled_from(usual) | st.sampled_from(usual) | ODD


CELLS = {
    "id": st.integers(0, 9).map("psp_{}".format) | st.integers(0, 9).map("psp_{}".format) | ODD,
    "gross": like("49.50", "10", "0.01", "1.000", "12.345", Decimal("3.20"), 7),
    "currency": like("EUR", "usd", "JPY", "KWD", "ISK"),
    "created": like("2026-01-31 10:00:00", "2026-01-31T10:00:05Z", "2026-03-29 02:30:00", "2026-10-25 02:30:00"),
    "status": like("Settled", "Refused", "Open"),
    "payer": like("Zoë & co", "a@b.example", None),
    "presence": like("shop", "web", "?", None),
    "text": like("one", "%s %%", "+", None),
    "kind": like("a", "b", "c"),
    "record": like("pr_1", "pr_22"),
    "amount": like({"value": 5, "currency": "eur"}, None),
    "ref": like("r1", "r 2"),
    "metadata": like({"a": "b"}, None),
    "amount_requested.value": like(100, "250", 15),
    "amount_requested.currency": like("eur", "KWD"),
    "initiated_at": like(1_769_853_600, "2026-01-31T10:00:05Z"),
    "processor_details.custom.payment_reference": like("W1", "W 2"),
    "payment_method_details.custom.display_name": like("Bank wire"),
    "metadata.note": like("x", None),
}

CASES: list[tuple[ExtractMapping, tuple[str, ...]]] = [
    (mapping(), COLUMNS),
    (mapping(key=["id", "status"], fields=MORE), (*COLUMNS, "presence", "text", "kind")),
    (mapping(key=[]), COLUMNS),
    (
        ExtractMapping.load({"key": "ref", "endpoint": "report_refund", "fields": DETAILS}),
        ("record", "amount", "ref", "metadata"),
    ),
    (ExtractMapping.load({}), DOTTED),
]


def both(how: ExtractMapping, columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> tuple[list[Any], list[Any]]:
    """Return what the mapper says of each row, and what the chunk says of them in two calls."""
    mapper = RowMapper(how, Columns(dict.fromkeys(columns), is_open=True))
    numbered = [
        (number, tuple(row[columns.index(name)] for name in mapper.used)) for number, row in enumerate(rows, start=1)
    ]
    chunk = ChunkMapper(mapper)
    middle = len(numbered) // 2
    return (
        [mapper.map(number, cells) for number, cells in numbered],
        [*chunk.map(numbered[:middle]), *chunk.map(numbered[middle:])],
    )


def facts(row: Row | RowProblem) -> Any:
    if isinstance(row, RowProblem):
        return row
    return row.number, row.key, row.command, row.fingerprint, row.money


@pytest.mark.parametrize(("how", "columns"), CASES)
def test_a_chunk_says_of_each_row_what_the_mapper_says(how: ExtractMapping, columns: tuple[str, ...]) -> None:
    @settings(max_examples=150, deadline=None)
    @given(st.lists(st.tuples(*(CELLS[name] for name in columns)), max_size=12))
    def check(rows: list[tuple[Any, ...]]) -> None:
        one_by_one, by_columns = both(how, columns, rows)
        assert list(map(facts, by_columns)) == list(map(facts, one_by_one))

    check()


def good(number: int, **changes: Any) -> tuple[Any, ...]:
    cells = {
        "id": f"psp_{number}",
        "gross": "49.50",
        "currency": "EUR",
        "created": "2026-01-31 10:00:00",
        "status": "Settled",
        "payer": "Z",
    }
    return tuple({**cells, **changes}.values())


def drafts(rows: list[Any]) -> list[bool]:
    return [isinstance(row, Row) and isinstance(row.content, Draft) for row in rows]


def test_only_the_first_row_of_a_kind_is_built() -> None:
    _, rows = both(mapping(), COLUMNS, [good(number) for number in range(10)])
    assert drafts(rows) == [False] + [True] * 9


def test_one_bad_row_does_not_slow_the_others_down() -> None:
    lines = [good(number, gross="x" if number == 7 else "1.50") for number in range(20)]
    one_by_one, rows = both(mapping(), COLUMNS, lines)
    assert drafts(rows) == [number not in (0, 7) for number in range(20)]
    assert rows[7] == one_by_one[7]


def test_rows_whose_deciding_cells_cannot_be_compared_are_mapped_one_by_one() -> None:
    one_by_one, rows = both(mapping(), COLUMNS, [good(1), good(2), good(3, status=["Settled"]), good(4)])
    assert list(map(facts, rows)) == list(map(facts, one_by_one))


def test_more_kinds_than_are_remembered_are_mapped_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "MAX_SHAPES", 1)
    lines = [good(1), good(2), good(3, payer=None), good(4, payer=None)]
    one_by_one, rows = both(mapping(), COLUMNS, [*lines, *lines])
    assert list(map(facts, rows)) == list(map(facts, one_by_one))
    assert drafts(rows)[3] is False
