"""Names find their cells."""

from __future__ import annotations

from airflow_provider_payrecords.extract.column import CellReader, Columns


def test_an_exact_name_wins_over_a_path():
    columns = Columns({"a.b": None, "a": {"b": None, "c": {"d": None}}})
    assert columns.locate("a.b") == ("a.b", ())
    assert columns.locate("a.c.d") == ("a", ("c", "d"))
    assert columns.locate("a.x") is columns.locate("a.b.c") is columns.locate("b") is None


def test_open_columns_may_hold_anything():
    assert Columns({"a": None}, is_open=True).locate("a.b.c") == ("a", ("b", "c"))
    assert Columns({}, late=("failed.failed_at",)).locate("failed.failed_at") == ("failed.failed_at", ())


def test_a_path_that_ends_early_is_an_absent_cell():
    read = CellReader(1, ("a", "b"))
    assert read.of_row((0, {"a": {"b": 5}})) == 5
    assert read.of_row((0, {"a": None})) is read.of_row((0, "text")) is read.of_row((0, None)) is None
    assert read.of_rows([(0, 1), ({"a": {"b": 5}}, "text")]) == [5, None]


def test_a_missing_column_is_named_with_the_nearest():
    text = Columns({"gross": None, "id": None}, hint=" Look there.").missing(["Gros", "zzz"])
    assert text == "The extract has no column 'Gros', 'zzz'. It has 2. Did you mean 'gross'? Look there."
    assert Columns({}, extract="a.csv").missing(["x"]) == "The extract 'a.csv' has no column 'x'. It has 0."


def test_long_listings_are_cut():
    assert Columns({f"c{n}": None for n in range(25)}).listing().endswith("c19 and 5 more.")
    assert Columns({"a": None}).listing() == " Columns: a."
