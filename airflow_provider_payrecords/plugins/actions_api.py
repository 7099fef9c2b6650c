"""What a person decides on the page of runs. Nothing here sends a payment; each decision is in Airflow's audit log."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import Field, model_validator

from airflow_provider_payrecords._airflow import action_logging
from airflow_provider_payrecords.bulk.asking import MAX_ASKED, ask_to_replay
from airflow_provider_payrecords.bulk.review import Reviewer
from airflow_provider_payrecords.core.entry import Entry
from airflow_provider_payrecords.core.errors import HeldError, ReviewNeededError, UsageError
from airflow_provider_payrecords.ledger.store import Selection
from airflow_provider_payrecords.plugins.access import CurrentUser, Right, check
from airflow_provider_payrecords.plugins.ledgers import ledger_of
from airflow_provider_payrecords.plugins.payments_api import settings_for
from airflow_provider_payrecords.plugins.places import Name, PaymentOf, ScopeOf
from airflow_provider_payrecords.plugins.problems import ProblemError
from airflow_provider_payrecords.plugins.shown import shown_entry

MAX_KEYS_SAID = 20

actions_router = APIRouter()


class Replay(ScopeOf):
    """
    Which rejects are to be sent again: one by its key, or those of a reason.

    Attributes:
        param: The field that the API blamed, as a dotted path.
        of_run: Only what this run refused.
    """

    key: Name | None = None
    code: Name | None = None
    param: Name | None = None
    of_run: Name | None = None


class Resolve(PaymentOf):
    """
    What became of one payment: *found*, a record's id, or *absent*.

    Attributes:
        updated_at: Of the entry as the person saw it. If it changed since, nothing is decided.
    """

    updated_at: Name
    found: Annotated[str, Field(max_length=255)] | None = None
    absent: bool = False

    @model_validator(mode="after")
    def _one_of_two(self) -> Resolve:
        if (self.found is not None) == self.absent:
            raise ValueError("say found or absent, one of the two")
        return self


@actions_router.post("/replay", dependencies=[Depends(action_logging(event="payrecords_replay"))])
def replay(asked: Replay, user: CurrentUser) -> dict[str, Any]:
    """Let the next run that has their rows send rejects again. Asking twice is asking once."""
    check(user, Right.DECIDE, asked.connection)
    with ledger_of(asked.connection) as ledger:
        settings_for(ledger, asked.scope)
        of_run = ledger.entry(asked.scope, asked.key).run_id if asked.key else asked.of_run
        chosen = Selection(
            account=asked.account,
            mode=asked.mode,
            endpoint=asked.endpoint,
            source=asked.source,
            key=asked.key,
            run_id=asked.of_run,
            error_code=asked.code,
        )
        done = ask_to_replay(ledger.store, chosen, param=asked.param, limit=MAX_ASKED)
        run = ledger.store.run(of_run) if of_run else None
        return {
            "asked": len(done.keys),
            "keys": done.keys[:MAX_KEYS_SAID],
            "left": done.left,
            "started_by": run and run.started_by,
        }


@actions_router.post("/resolve", dependencies=[Depends(action_logging(event="payrecords_resolve"))])
def resolve(said: Resolve, user: CurrentUser) -> dict[str, Any]:
    """Say what became of one payment. It is checked as far as it can be."""
    check(user, Right.DECIDE, said.connection)
    with ledger_of(said.connection) as ledger:
        entry = ledger.entry(said.scope, said.key)
        settings = settings_for(ledger, said.scope)
        _check_unchanged(entry, said)
        reviewer = Reviewer(ledger.store, settings)
        try:
            found = said.found.strip() if said.found is not None else None
            resolution = reviewer.resolve_absent(entry) if found is None else reviewer.resolve_found(entry, found)
        except (HeldError, ReviewNeededError) as error:
            raise ProblemError(
                409, "This cannot be decided now", error.message, "Load the payment again, and look at it once more."
            ) from error
        except UsageError as error:
            raise ProblemError(
                422, "This is not the record of this payment", error.message, "Check the id in the Dashboard."
            ) from error
        return {"entry": shown_entry(resolution.after), "unchecked": list(resolution.unchecked)}


def _check_unchanged(entry: Entry, said: Resolve) -> None:
    if entry.updated_at.isoformat() == said.updated_at:
        return
    raise ProblemError(
        409,
        "The payment changed while you looked at it",
        f"It is {entry.state.value} now. Nothing of what you said was kept.",
        "Load the payment again, and decide on what it shows.",
    )
