"""
Engines with one thing wrong each, to show that the worlds notice.

A mutant replaces a function or two of the real engine while it is patched in, and says what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from airflow_provider_payrecords.bulk import engine, find, prepare
from airflow_provider_payrecords.bulk.ledger_access import LedgerAccess
from airflow_provider_payrecords.core import entry, flows
from airflow_provider_payrecords.core.effects import Send
from airflow_provider_payrecords.core.entry import Action, Decision, Entry, Intent, Settlement, consider
from airflow_provider_payrecords.core.errors import ServerError, StoppedError
from airflow_provider_payrecords.core.flows import Called
from airflow_provider_payrecords.core.lifecycle import Event, State
from airflow_provider_payrecords.core.wire import read_answer
from airflow_provider_payrecords.ledger import batch
from airflow_provider_payrecords.transport import asynchronous

Changes = list[tuple[Any, str, Any]]
"""What is replaced: where, which name, by what."""

MUTANTS: dict[str, Callable[[], Changes]] = {}


@contextmanager
def mutated(name: str) -> Iterator[None]:
    """Let the engine be the mutant *name* for a while."""
    with ExitStack() as changes:
        for owner, attribute, wrong in MUTANTS[name]():
            changes.enter_context(patch.object(owner, attribute, wrong))
        yield


def mutant(changes: Callable[[], Changes]) -> Callable[[], Changes]:
    """Keep a mutant under the name of the function that makes it."""
    MUTANTS[changes.__name__] = changes
    return changes


@mutant
def claim_after_send() -> Changes:
    """Decides what to send by looking at the ledger, and commits the claim only when the outcome is known."""
    claim, settle = LedgerAccess.claim, LedgerAccess.settle
    seen: dict[tuple[str, str], Intent] = {}

    def look(self: LedgerAccess, intents: Sequence[Intent]) -> list[Decision]:
        known = self.store.look_up(self.scope, [one.key for one in intents])
        seen.update({(self.worker.owner, one.key): one for one in intents})
        return [consider(known.get(one.key), one, self.scope, self.worker, self.now()) for one in intents]

    def claim_and_settle(self: LedgerAccess, settlements: Sequence[Settlement]) -> list[Entry]:
        if settlements:
            claim(self, [seen[self.worker.owner, one.key] for one in settlements])
        return settle(self, settlements)

    return [(LedgerAccess, "claim", look), (LedgerAccess, "settle", claim_and_settle)]


@mutant
def new_key_on_retry() -> Changes:
    """Sends every retry of a call under another idempotency key."""
    return [(engine, "call", _sending(lambda request, attempt: _with_key(request, attempt - 1)))]


@mutant
def new_key_on_every_run() -> Changes:
    """Gives the same row another idempotency key whenever it is prepared, and trusts it over the one in the ledger."""
    count = iter(range(10**9))
    key = prepare.idempotency_key
    return [
        (prepare, "idempotency_key", lambda *row: f"{key(*row)}-{next(count)}"),
        (entry, "_consider_unknown", _consider_unknown_without_its_content),
    ]


@mutant
def settle_before_read() -> Changes:
    """Takes a payment for reported as soon as its request has left."""

    def call(command: Any, request: Any, policy: Any, jitter: Any, until: Any, *_: Any) -> Any:
        yield Send(request, until)
        return Called(SimpleNamespace(id="pr_1"), None, None, False, 1)

    return [(engine, "call", call)]


@mutant
def no_lease_check() -> Changes:
    """Lets a request leave although the lease of its claim is over."""
    return [(asynchronous, "lease_ended", lambda until, now: None)]


@mutant
def skip_on_error() -> Changes:
    """Goes on with the next row when one fails, and neither settles nor says what became of it."""
    settle = engine.Engine._settle

    def skip(self: engine.Engine) -> None:
        self._called = [(row, called) for row, called in self._called if called.error is None]
        settle(self)

    return [(engine.Engine, "_settle", skip)]


@mutant
def lost_means_not_sent() -> Changes:
    """Takes a payment whose answer was lost for one that was never sent."""
    event = flows._event

    def optimistic(error: Any, uncertain: bool) -> Event:
        return Event.NOT_SENT if event(error, uncertain) is Event.LOST else event(error, uncertain)

    return [(flows, "_event", optimistic)]


@mutant
def failed_means_nothing_happened() -> Changes:
    """Takes a 500 for proof that the payment was not recorded."""
    proves = flows._proves_nothing_happened
    return [
        (flows, "_proves_nothing_happened", lambda error: isinstance(error, ServerError) or proves(error)),
        (ServerError, "disposition", flows.Disposition.RETRY),
    ]


@mutant
def earlier_send_is_forgotten() -> Changes:
    """Lets "not sent" release a payment although an earlier send of it may have taken effect."""
    return [(entry, "_says_nothing_of_an_earlier_send", lambda settlement: False)]


@mutant
def refusal_speaks_for_earlier_sends() -> Changes:
    """Takes any refusal for proof that the sends before it, whose answers were lost, had no effect."""
    refusal = flows._refusal
    return [(flows, "_refusal", lambda error, uncertain: refusal(error, uncertain=False))]


@mutant
def key_lives_for_ever() -> Changes:
    """Sends the same idempotency key again after the API has forgotten it."""
    return [(entry, "REPLAY_WINDOW", timedelta(days=30))]


@mutant
def changed_content_is_sent() -> Changes:
    """Sends a payment whose outcome is unknown once more when its row has other content by now."""
    return [(entry, "_consider_unknown", _consider_unknown_without_its_content)]


@mutant
def changed_payment_is_new() -> Changes:
    """Reports a confirmed payment again when its row has other content by now."""

    def consider_anew(known: Entry | None, intent: Intent, *rest: Any) -> Decision:
        is_changed = known is not None and known.state is State.CONFIRMED and known.fingerprint != intent.fingerprint
        return consider(None if is_changed else known, intent, *rest)

    return [(batch, "consider", consider_anew)]


@mutant
def any_record_is_ours() -> Changes:
    """Confirms a lost payment by a record of the same money, whichever payment it is of."""
    key_of = find._key_of

    def other_key(record: Any, source: str) -> str | None:
        return "W1" if key_of(record, source) == "W2" else key_of(record, source)

    return [(find, "_key_of", other_key), (find, "same_money", lambda entry, record: True)]


@mutant
def cut_answer_is_an_answer() -> Changes:
    """Takes any 200 for a record, even where its body is cut short."""

    def read(command: Any, response: Any, *model: Any) -> Any:
        if response.status == 200 and command.method == "POST":
            return SimpleNamespace(id="pr_1", latest_payment_attempt_record=None)
        return read_answer(command, response, *model)

    return [(flows, "read_answer", read)]


@mutant
def told_before_settled() -> Changes:
    """Says that a payment is confirmed before the ledger does."""
    settle = engine.Engine._settle

    def tell_first(self: engine.Engine) -> None:
        for row, called in self._called:
            if called.error is None:
                self._record(
                    row.order, {"key": row.intent.key, "state": "confirmed", "payment_record": called.answer.id}
                )
        settle(self)

    return [(engine.Engine, "_settle", tell_first)]


@mutant
def lapsed_claims_stay() -> Changes:
    """Never takes over the claim of a worker that is gone."""
    return [
        (entry, "lapse_if_over", lambda known, owner, now: known),
        (LedgerAccess, "release_the_dead", lambda self: 0),
    ]


@mutant
def refused_is_unknown() -> Changes:
    """Sends a payment that the API refused over and over, and never says so."""
    event = flows._event

    def patient(error: Any, uncertain: bool) -> Event:
        return Event.LOST if event(error, uncertain) is Event.REFUSED else event(error, uncertain)

    return [(flows, "_event", patient)]


def _sending(change: Callable[[Any, int], Any]) -> Callable[..., Any]:
    """Return ``call`` with each of its requests changed, by the number of the attempt."""

    def call(*arguments: Any) -> Any:
        flow, attempt = flows.call(*arguments), 0
        step = partial(next, flow)
        while True:
            try:
                effect = step()
            except StopIteration as done:
                return done.value
            if isinstance(effect, Send):
                attempt += 1
                effect = effect._replace(request=change(effect.request, attempt))
            try:
                step = partial(flow.send, (yield effect))
            except StoppedError as stopped:
                step = partial(flow.throw, stopped)

    return call


def _with_key(request: Any, extra: int) -> Any:
    return request._replace(idempotency_key=f"{request.idempotency_key}-{extra}") if extra else request


def _consider_unknown_without_its_content(known: Entry, intent: Intent, worker: Any, now: datetime) -> Decision:
    return entry._claim(entry._renew(known, intent, now), worker, now, Action.RESEND)
