"""
The steps that make a ledger's tables, in order.

Each step runs in one transaction together with the row of ``ledger_meta`` that says it ran, so a ledger is always at
one step or the next. A step that was released is never edited; a change of ``schema.py`` is a new step at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, Engine, insert, inspect, select

from airflow_provider_payrecords import __version__
from airflow_provider_payrecords.core.errors import LedgerSchemaError
from airflow_provider_payrecords.ledger.dialect import begin_alone, text_type
from airflow_provider_payrecords.ledger.failures import guarded
from airflow_provider_payrecords.ledger.schema import LEDGER_META, METADATA


class Step(NamedTuple):
    """One change of the schema. In ``statements``, ``{text}`` stands for the database's type for text."""

    name: str
    statements: tuple[str, ...]


STEPS = (
    Step(
        "entries and runs",
        (
            """
            CREATE TABLE ledger_meta (
                step INTEGER NOT NULL PRIMARY KEY,
                name {text} NOT NULL,
                applied_by {text} NOT NULL
            )
            """,
            """
            CREATE TABLE entries (
                account {text} NOT NULL,
                mode {text} NOT NULL,
                endpoint {text} NOT NULL,
                source {text} NOT NULL,
                key {text} NOT NULL,
                state {text} NOT NULL,
                fingerprint {text} NOT NULL,
                idempotency_key {text} NOT NULL,
                created_at {text} NOT NULL,
                updated_at {text} NOT NULL,
                claimed_at {text},
                lease_until {text},
                owner {text},
                may_exist BOOLEAN NOT NULL,
                payment_record {text},
                payment_attempt_record {text},
                amount_minor BIGINT,
                currency {text},
                run_id {text},
                error_code {text},
                error_param {text},
                error_status INTEGER,
                request_id {text},
                PRIMARY KEY (account, mode, endpoint, source, key)
            )
            """,
            """
            CREATE INDEX entries_owner ON entries (account, mode, endpoint, source, owner) WHERE owner IS NOT NULL
            """,
            """
            CREATE TABLE runs (
                run_id {text} NOT NULL PRIMARY KEY,
                account {text} NOT NULL,
                mode {text} NOT NULL,
                endpoint {text} NOT NULL,
                source {text} NOT NULL,
                extract {text} NOT NULL,
                started_at {text} NOT NULL,
                finished_at {text},
                summary {text}
            )
            """,
        ),
    ),
    Step(
        "a shared pace",
        (
            """
            CREATE TABLE pace (
                account {text} NOT NULL,
                mode {text} NOT NULL,
                endpoint {text} NOT NULL,
                free_at BIGINT NOT NULL,
                PRIMARY KEY (account, mode, endpoint)
            )
            """,
        ),
    ),
    Step(
        "what a run did, and what an entry was",
        (
            "ALTER TABLE runs ADD COLUMN started_by {text}",
            "CREATE INDEX runs_started ON runs (started_at, run_id)",
            """
            CREATE TABLE run_progress (
                run_id {text} NOT NULL,
                at {text} NOT NULL,
                counts {text} NOT NULL,
                money {text} NOT NULL,
                requests BIGINT NOT NULL,
                throttled BIGINT NOT NULL,
                rate FLOAT NOT NULL,
                total_rows BIGINT,
                PRIMARY KEY (run_id, at)
            )
            """,
            """
            CREATE TABLE run_reasons (
                run_id {text} NOT NULL,
                state {text} NOT NULL,
                code {text} NOT NULL,
                param {text} NOT NULL,
                rows BIGINT NOT NULL,
                first_rows {text} NOT NULL,
                PRIMARY KEY (run_id, state, code, param)
            )
            """,
            """
            CREATE TABLE history (
                account {text} NOT NULL,
                mode {text} NOT NULL,
                endpoint {text} NOT NULL,
                source {text} NOT NULL,
                key {text} NOT NULL,
                state {text} NOT NULL,
                fingerprint {text} NOT NULL,
                idempotency_key {text} NOT NULL,
                created_at {text} NOT NULL,
                updated_at {text} NOT NULL,
                claimed_at {text},
                lease_until {text},
                owner {text},
                may_exist BOOLEAN NOT NULL,
                payment_record {text},
                payment_attempt_record {text},
                amount_minor BIGINT,
                currency {text},
                run_id {text},
                error_code {text},
                error_param {text},
                error_status INTEGER,
                request_id {text},
                PRIMARY KEY (account, mode, endpoint, source, key, state, updated_at)
            )
            """,
            """
            CREATE INDEX entries_notable ON entries (state, account, mode, endpoint, source, key, error_code)
            WHERE state <> 'claimed' AND state <> 'confirmed'
            """,
            """
            CREATE INDEX entries_run ON entries (run_id, state, account, mode, endpoint, source, key, error_code)
            WHERE state <> 'claimed' AND state <> 'confirmed'
            """,
        ),
    ),
)


def migrate(engine: Engine, name: str, steps: Sequence[Step] = STEPS) -> None:
    """
    Bring the ledger to the last of *steps*. Two processes may do so at once.

    Args:
        name: The ledger as people may see it.

    Raises:
        LedgerSchemaError: A newer version of this package wrote the ledger, or the tables there are not ours.
        LedgerUnavailableError: The ledger cannot be opened or written.
    """
    with guarded(name):
        with engine.connect() as connection:
            done = _steps_done(connection, name, len(steps))
        while done < len(steps):
            with begin_alone(engine) as connection:
                done = _steps_done(connection, name, len(steps))  # another process may have been faster
                if done < len(steps):
                    _run(connection, done + 1, steps[done])
                    done += 1


def _run(connection: Connection, number: int, step: Step) -> None:
    for statement in step.statements:
        connection.exec_driver_sql(statement.format(text=text_type(connection)))
    connection.execute(insert(LEDGER_META).values(step=number, name=step.name, applied_by=__version__))


def _steps_done(connection: Connection, name: str, known: int) -> int:
    """Return the number of the last step that ran here: 0 for an empty database."""
    if not _is_ledger(connection, name):
        return 0
    last = select(LEDGER_META.c.step, LEDGER_META.c.applied_by).order_by(LEDGER_META.c.step.desc()).limit(1)
    done, applied_by = connection.execute(last).one()
    if done > known:
        raise LedgerSchemaError(
            f"The ledger {name} has schema {done}, written by version {applied_by} of this package; this is version"
            f" {__version__}, which knows schemas up to {known}. Install version {applied_by} or newer here."
        )
    return int(done)


def _is_ledger(connection: Connection, name: str) -> bool:
    """Return whether the tables of a ledger are there; False for none at all."""
    tables = inspect(connection)
    if tables.has_table(LEDGER_META.name):
        columns = {column["name"] for column in tables.get_columns(LEDGER_META.name)}
        if columns.issuperset(LEDGER_META.columns.keys()):
            return True
    others = [table for table in sorted(METADATA.tables) if tables.has_table(table)]
    if others:
        raise LedgerSchemaError(
            f"{name} is not a ledger: it has other tables named {', '.join(others)}. Give another file or database."
        )
    return False
