"""Types reach Python exactly."""

from __future__ import annotations

import duckdb
import pytest

from airflow_provider_payrecords.extract.sqltype import Type, fetching_type, loading_type, quoted_name, quoted_text


def type_of(sql: str):
    with duckdb.connect() as database:
        return database.execute(f"SELECT CAST(NULL AS {sql}) AS x").description[0][1]


@pytest.mark.parametrize(
    ("sql", "fetched"),
    [
        ("TIMESTAMPTZ", "VARCHAR"),
        ("UUID", "VARCHAR"),
        ("BLOB", "VARCHAR"),
        ("DECIMAL(18,2)", "DECIMAL(18,2)"),
        ("BIGINT", "BIGINT"),
        ('STRUCT(a TIMESTAMPTZ, "b ""c" BIGINT)', 'STRUCT("a" VARCHAR, "b ""c" BIGINT)'),
        ("TIMESTAMPTZ[]", "VARCHAR[]"),
        ("MAP(VARCHAR, UUID)", "MAP(VARCHAR, VARCHAR)"),
    ],
)
def test_what_python_cannot_hold_exactly_is_fetched_as_text(sql, fetched):
    assert fetching_type(type_of(sql)).sql == fetched
    with duckdb.connect() as database:
        assert database.execute(f"SELECT CAST(CAST(NULL AS {sql}) AS {fetched})").fetchall() == [(None,)]


def test_json_text_that_looks_like_a_time_is_loaded_as_text():
    assert loading_type(type_of("STRUCT(a TIMESTAMP, b DATE, c BIGINT, d DOUBLE)")).sql == (
        'STRUCT("a" VARCHAR, "b" VARCHAR, "c" BIGINT, "d" DOUBLE)'
    )


def test_json_inside_is_decoded_and_the_rest_is_left_alone():
    assert Type.of(type_of("STRUCT(a BIGINT)")).decoder() is None
    decode = Type.of(type_of("STRUCT(a JSON, b STRUCT(c JSON), d VARCHAR)")).decoder()
    assert decode is not None
    assert decode({"a": "5", "b": {"c": '"x"'}, "d": "5"}) == {"a": 5, "b": {"c": "x"}, "d": "5"}
    assert decode({"a": None, "b": None, "d": None}) == {"a": None, "b": None, "d": None}
    assert decode(None) is None


def test_shapes_tell_what_is_inside():
    assert Type.of(type_of("STRUCT(a STRUCT(b BIGINT), c VARCHAR)")).shape == {"a": {"b": None}, "c": None}
    assert Type.of(type_of("MAP(VARCHAR, BIGINT)")).shape is None


def test_quotes_are_doubled():
    assert quoted_text("o'clock") == "'o''clock'"
    assert quoted_name('a"b') == '"a""b"'
