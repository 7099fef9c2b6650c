"""Ledgers that are new, older, newer, half made, or somebody else's."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect, make_url

from airflow_provider_payrecords import __version__
from airflow_provider_payrecords.core.entry import Entry, Scope
from airflow_provider_payrecords.core.errors import LedgerSchemaError, LedgerUnavailableError
from airflow_provider_payrecords.core.lifecycle import State
from airflow_provider_payrecords.ledger.dialect import make_engine
from airflow_provider_payrecords.ledger.migrations import STEPS, Step, migrate
from airflow_provider_payrecords.ledger.schema import ENTRIES, IS_NOTABLE, METADATA, entry_values, to_text
from airflow_provider_payrecords.ledger.store import Run, Selection
from airflow_provider_payrecords.ledger.urls import open_ledger
from tests.ledger.samples import ANNA, NOW, SCOPE, intent

NEXT = Step("a colour", ("CREATE TABLE more (n INTEGER)", "ALTER TABLE entries ADD COLUMN colour {text}"))
BROKEN = Step("a colour", (*NEXT.statements, "CREATE TABLE more (n INTEGER)"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def engine(path: Path) -> Iterator[Engine]:
    engine = make_engine(make_url(f"sqlite:///{path}"), busy_timeout_seconds=1)
    yield engine
    engine.dispose()


def run(path: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as plain, plain:
        return plain.execute(sql).fetchall()


def steps_done(path: Path) -> list[tuple[object, ...]]:
    return run(path, "SELECT step, name, applied_by FROM ledger_meta ORDER BY step")


def test_a_new_ledger_gets_every_step_and_says_so(path: Path) -> None:
    open_ledger(path).close()
    assert steps_done(path) == [(number, step.name, __version__) for number, step in enumerate(STEPS, start=1)]


def test_the_steps_make_the_tables_the_code_knows(engine: Engine) -> None:
    migrate(engine, "it")
    made = inspect(engine)
    assert set(made.get_table_names()) == set(METADATA.tables)
    for table in METADATA.tables.values():
        columns = [(one["name"], str(one["type"]), one["nullable"]) for one in made.get_columns(table.name)]
        assert columns == [(one.name, str(one.type), one.nullable) for one in table.columns]
        assert made.get_pk_constraint(table.name)["constrained_columns"] == table.primary_key.columns.keys()
        indexes = {(one["name"], *one["column_names"]) for one in made.get_indexes(table.name)}
        assert indexes == {(one.name, *one.columns.keys()) for one in table.indexes}


@pytest.mark.parametrize("owner", ["IN ('x', 'y')", "IS NOT NULL"])
def test_the_claimed_entries_are_found_by_their_small_index(engine: Engine, path: Path, owner: str) -> None:
    migrate(engine, "it")
    in_scope = "account = 'a' AND mode = 'm' AND endpoint = 'e' AND source = 's'"
    query = " ".join(["SELECT DISTINCT owner FROM entries WHERE", in_scope, "AND owner", owner])
    assert "entries_owner" in str(run(path, f"EXPLAIN QUERY PLAN {query}"))


@pytest.mark.parametrize(
    ("index", "query"),
    [
        ("entries_run", "run_id = ? AND state = ? AND {notable} ORDER BY account, mode, endpoint, source, key"),
        ("entries_notable", "state = ? AND {notable} ORDER BY account, mode, endpoint, source, key"),
        (
            "entries_run",
            "run_id = ? AND state = ? AND {notable} AND (account, mode, endpoint, source, key) > (?,?,?,?,?)",
        ),
    ],
)
def test_what_people_ask_for_is_found_by_a_small_index_and_not_sorted(
    engine: Engine, path: Path, index: str, query: str
) -> None:
    migrate(engine, "it")
    conditions = query.format(notable=IS_NOTABLE).replace("?", "'x'")
    plan = str(run(path, f"EXPLAIN QUERY PLAN SELECT * FROM entries WHERE {conditions}"))
    assert index in plan
    assert "TEMP B-TREE" not in plan


def test_a_ledger_of_before_runs_kept_progress_is_upgraded_with_all_it_holds(engine: Engine, path: Path) -> None:
    migrate(engine, "it", STEPS[:2])
    columns = "run_id, account, mode, endpoint, source, extract, started_at, finished_at, summary"
    run(path, f"INSERT INTO runs ({columns}) VALUES ('r1', 'a', 'm', 'e', 's', 'x', '{to_text(NOW)}', NULL, NULL)")
    entry = Entry(SCOPE, "k1", State.REJECTED, "fp-a", "payrecords-k1-a", NOW, NOW, run_id="r1")
    with closing(sqlite3.connect(path)) as plain, plain:
        plain.execute(f"INSERT INTO entries VALUES ({', '.join('?' * len(ENTRIES.columns))})", entry_values(entry))
    ledger = open_ledger(path)
    assert ledger.runs() == [Run("r1", Scope("a", "m", "e", "s"), "x", NOW)]
    assert ledger.page(Selection(run_id="r1")).entries == [entry]
    ledger.claim(SCOPE, [intent(content="b")], ANNA, NOW)
    assert ledger.history(SCOPE, "k1") == [entry]
    ledger.close()


def test_opening_again_changes_nothing(path: Path) -> None:
    open_ledger(path).close()
    before = run(path, "SELECT * FROM sqlite_master")
    open_ledger(path).close()
    assert run(path, "SELECT * FROM sqlite_master") == before
    assert len(steps_done(path)) == len(STEPS)


def test_an_older_ledger_is_brought_up_to_date_and_keeps_its_entries(engine: Engine, path: Path) -> None:
    ledger = open_ledger(path)
    ledger.claim(SCOPE, [intent()], ANNA, NOW)
    ledger.close()
    migrate(engine, "it", [*STEPS, NEXT])
    assert run(path, "SELECT key, colour FROM entries") == [("k1", None)]
    assert steps_done(path)[-1] == (len(STEPS) + 1, "a colour", __version__)


def test_a_newer_ledger_is_refused_naming_both_versions_and_the_next_step(engine: Engine, path: Path) -> None:
    migrate(engine, "it", [*STEPS, NEXT])
    run(path, "UPDATE ledger_meta SET applied_by = '9.8.7' WHERE name = 'a colour'")
    with pytest.raises(LedgerSchemaError) as caught:
        open_ledger(path)
    said = str(caught.value)
    assert f"schema {len(STEPS) + 1}, written by version 9.8.7" in said
    assert f"this is version {__version__}, which knows schemas up to {len(STEPS)}" in said
    assert "Install version 9.8.7 or newer" in said
    assert str(path) in said


def test_an_interrupted_step_leaves_nothing_and_is_run_again(engine: Engine, path: Path) -> None:
    migrate(engine, "it")
    before = run(path, "SELECT * FROM sqlite_master")
    with pytest.raises(LedgerUnavailableError, match="already exists"):
        migrate(engine, "it", [*STEPS, BROKEN])
    assert run(path, "SELECT * FROM sqlite_master") == before
    assert len(steps_done(path)) == len(STEPS)
    migrate(engine, "it", [*STEPS, NEXT])
    assert len(steps_done(path)) == len(STEPS) + 1


def test_an_interrupted_first_step_leaves_an_empty_database(engine: Engine, path: Path) -> None:
    with pytest.raises(LedgerUnavailableError):
        migrate(engine, "it", [Step("first", (*STEPS[0].statements, "NONSENSE"))])
    assert run(path, "SELECT * FROM sqlite_master") == []
    open_ledger(path).close()


def test_a_step_another_process_ran_meanwhile_is_not_run_twice(
    engine: Engine, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow_provider_payrecords.ledger import migrations

    begin_alone = migrations.begin_alone

    def after_another_process(engine: Engine) -> object:
        monkeypatch.setattr(migrations, "begin_alone", begin_alone)
        open_ledger(path).close()
        return begin_alone(engine)

    monkeypatch.setattr(migrations, "begin_alone", after_another_process)
    migrate(engine, "it")
    assert len(steps_done(path)) == len(STEPS)


@pytest.mark.parametrize("table", ["entries", "runs"])
def test_a_foreign_database_with_tables_of_our_names_is_refused_and_left_alone(path: Path, table: str) -> None:
    run(path, f"CREATE TABLE {table} (id INTEGER)")
    with pytest.raises(LedgerSchemaError, match=f"is not a ledger: it has other tables named {table}"):
        open_ledger(path)
    assert run(path, "SELECT name FROM sqlite_master") == [(table,)]


def test_a_foreign_table_named_like_our_meta_table_is_refused(path: Path) -> None:
    run(path, "CREATE TABLE ledger_meta (id INTEGER, name TEXT)")
    with pytest.raises(LedgerSchemaError, match="is not a ledger"):
        open_ledger(path)


def test_a_database_with_tables_of_other_names_may_hold_a_ledger(path: Path) -> None:
    run(path, "CREATE TABLE invoices (id INTEGER)")
    open_ledger(path).close()
    assert len(steps_done(path)) == len(STEPS)


def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path) -> None:
    path.write_text("psp_reference,amount\n" * 100)
    with pytest.raises(LedgerSchemaError, match="is not a SQLite database"):
        open_ledger(path)
    assert path.read_text().startswith("psp_reference,amount")
