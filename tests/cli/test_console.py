"""What steers a terminal is not printed, and markup is not read."""

from __future__ import annotations

import pytest

from airflow_provider_payrecords.cli import console


def test_a_value_that_would_steer_a_terminal_is_shown_harmless(capsys: pytest.CaptureFixture[str]) -> None:
    console.table("T", ("a",), [("\x1b[31mred\x07\x9b",)])
    assert capsys.readouterr().out == "T\n  a\n  �[31mred��\n\n"


def test_square_brackets_are_text(capsys: pytest.CaptureFixture[str]) -> None:
    console.table("[bold]T", ("a",), [("[red]x[/red]",)])
    console.listing("L", ("a", "b"), [("[x]", "[/y]")])
    shown = capsys.readouterr().out
    assert [text for text in ("[bold]T", "[red]x[/red]", "[x]", "[/y]") if text not in shown] == []


def test_columns_line_up_and_numbers_stand_right(capsys: pytest.CaptureFixture[str]) -> None:
    console.table("T", ("name", "n"), [("a", 1), ("long name", 1000), (None, "")], numbers=("n",))
    assert capsys.readouterr().out == "T\n  name          n\n  a             1\n  long name  1000\n\n\n"


def test_a_table_without_rows_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    console.table("T", ("a",), [])
    console.listing("T", ("a",), [])
    assert capsys.readouterr().out == ""


def test_an_error_is_one_line_without_a_key(capsys: pytest.CaptureFixture[str]) -> None:
    console.complain("first\nsecond sk_live_abc\tthird")
    assert capsys.readouterr().err == "error: first second sk_live_… third\n"
