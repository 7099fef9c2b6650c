"""
How a payment leaves review: a look at the API's own records, or a person's word that is checked as far as it can be.

Nothing here sends a payment. What a person says is kept as a run of its own, ``review-…``, without a name.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, islice
from typing import TypeVar

import httpx

from airflow_provider_payrecords.bulk.checking import check_record
from airflow_provider_payrecords.bulk.find import Search, search_records
from airflow_provider_payrecords.bulk.word import keep_word, new_word_id
from airflow_provider_payrecords.core.absence import Objection, objection_to_absent, quiet_from
from airflow_provider_payrecords.core.commands import ReportPayment, RetrievePaymentRecord
from airflow_provider_payrecords.core.entry import SECOND_RECORD, Entry, Scope, Settlement, lapse_if_over
from airflow_provider_payrecords.core.errors import (
    HeldError,
    InvalidRequestError,
    PayRecordsError,
    PermissionDeniedError,
    ReviewNeededError,
    StoppedError,
    UnknownRouteError,
    UsageError,
)
from airflow_provider_payrecords.core.flows import call, raise_for
from airflow_provider_payrecords.core.lifecycle import REPLAY_WINDOW, Event, State
from airflow_provider_payrecords.core.models import PaymentRecord
from airflow_provider_payrecords.core.wire import encode
from airflow_provider_payrecords.ledger.store import LedgerStore, Selection
from airflow_provider_payrecords.settings import Settings
from airflow_provider_payrecords.transport.asynchronous import AsyncTransport
from airflow_provider_payrecords.transport.clock import Clock, utc_now
from airflow_provider_payrecords.transport.pace import uniform_jitter

AnswerT = TypeVar("AnswerT")

OPEN_STATES = frozenset({State.REVIEW, State.UNKNOWN})
LOOK_AT_ONCE = 10_000
NOT_OFFERED = (UnknownRouteError, PermissionDeniedError)
"""What the API answers where an account or a key may not list records."""


@dataclass(frozen=True, slots=True)
class LookReport:
    """
    What a look gave.

    Attributes:
        looked_at: Entries that were looked for.
        found: Entries that it confirmed.
        several: Keys of entries for which there is more than one record, or one of other money.
        error: Why not all records were read, or None.
    """

    looked_at: int
    found: list[Entry]
    several: list[str]
    error: PayRecordsError | None


@dataclass(frozen=True, slots=True)
class Resolution:
    """
    What became of an entry.

    Attributes:
        unchecked: What nobody but the person vouches for, in words.
    """

    before: Entry
    after: Entry
    unchecked: tuple[str, ...] = ()


class Reviewer:
    """
    Looks at one ledger's open entries for one account.

    Args:
        network: httpx transport to use in place of the network, such as the in-process sandbox.
    """

    def __init__(
        self,
        ledger: LedgerStore,
        settings: Settings,
        *,
        network: httpx.AsyncBaseTransport | None = None,
        now: Clock = utc_now,
    ) -> None:
        self._ledger = ledger
        self._settings = settings
        self._network = network
        self._now = now

    def look(self, selection: Selection) -> LookReport:
        """Look for the records of all entries of *selection* that may exist, and confirm those that are found."""
        looked_at, found, several = 0, [], []
        for scope, entries in self._groups(selection):
            while some := list(islice(entries, LOOK_AT_ONCE)):
                search = self._search(some)
                confirmed = self._confirm(scope, some, search)
                looked_at += len(some)
                found += confirmed
                known = {entry.key for entry in confirmed}
                several += [entry.key for entry in some if entry.key in search.matches and entry.key not in known]
                if search.error is not None:
                    return LookReport(looked_at, found, several, search.error)
        return LookReport(looked_at, found, several, None)

    def resolve_found(self, entry: Entry, payment_record: str) -> Resolution:
        """
        Confirm *entry* with the record that a person found for it. For two records: with the one that stands.

        Raises:
            UsageError: The record does not exist, or is not the one of this payment; nothing was changed.
            HeldError: A worker is sending the payment.
            ReviewNeededError: The entry needs no record, or changed meanwhile.
            ApiError, TransportError: The API could not be asked.
        """
        self._check_scope(entry)
        self._check_open_to(entry, payment_record)
        record = self._retrieve(payment_record)
        unchecked = check_record(entry, record)
        others = self._ledger.entries(Selection(payment_record=record.id, endpoint=entry.scope.endpoint))
        other = next((one for one in others if (one.scope, one.key) != (entry.scope, entry.key)), None)
        if other is not None and entry.scope.endpoint == ReportPayment.endpoint:
            raise UsageError(f"{record.id} is the record of {other.key} ({other.scope.source}). Nothing was changed.")
        chosen = entry.error_code == SECOND_RECORD
        if chosen:
            unchecked += self._check_others(entry, record)
        return self._settle(entry, Event.CHOSEN if chosen else Event.FOUND, record, unchecked)

    def resolve_absent(self, entry: Entry) -> Resolution:
        """
        Let the next run send *entry*, because a person is sure that the API has no record of it.

        The listed records are looked through first: if there is one, it confirms the entry instead.

        Raises:
            HeldError: A worker is sending the payment, or something of it may still be on its way.
            ReviewNeededError: It is known what became of it, or there are records of it.
            ApiError, TransportError: The API could not be asked.
        """
        self._check_scope(entry)
        objection = objection_to_absent(entry, self._now())
        if objection is not None:
            raise _refused(entry, objection)
        unchecked: tuple[str, ...] = ("that no record of it exists: calls on a record cannot be looked for",)
        if entry.scope.endpoint == ReportPayment.endpoint:
            search = self._search([entry])
            if search.matches.get(entry.key):
                return self._found_instead(entry, search)
            if search.error is not None and not isinstance(search.error, (*NOT_OFFERED, StoppedError)):
                raise search.error
            unchecked = (
                (_not_looked(search),) if search.error else ("that no record without our metadata is this payment",)
            )
        return self._settle(entry, Event.ABSENT, None, unchecked)

    def _found_instead(self, entry: Entry, search: Search) -> Resolution:
        confirmed = self._confirm(entry.scope, [entry], search)
        ids = ", ".join(sorted({record.id for record in search.matches[entry.key]}))
        if not confirmed:
            raise ReviewNeededError(f"{entry.key} is not absent: the API holds {ids} for it. Say which one it is.")
        return Resolution(entry, confirmed[0])

    def _check_scope(self, entry: Entry) -> None:
        if (entry.scope.account, entry.scope.mode) != (self._settings.account_scope, self._settings.mode):
            raise UsageError(
                f"{entry.key} belongs to account {entry.scope.account} in {entry.scope.mode} mode, and the API key is "
                f"of {self._settings.account_scope} in {self._settings.mode} mode."
            )

    def _check_open_to(self, entry: Entry, payment_record: str) -> None:
        state = lapse_if_over(entry, "", self._now()).state
        if state is State.CLAIMED:
            raise _refused(entry, Objection.CLAIMED)
        if entry.payment_record is not None and entry.error_code != SECOND_RECORD:
            same = entry.payment_record == payment_record
            raise ReviewNeededError(
                f"{entry.key} has its record already: {entry.payment_record}."
                + ("" if same else " A payment has one; nothing was changed.")
            )

    def _check_others(self, entry: Entry, record: PaymentRecord) -> tuple[str, ...]:
        """Check that what else the API holds for *entry* was undone: it is to be recorded once."""
        search = self._search([entry])
        undone = ("failed", "canceled", "refunded")
        left = {one.id for one in search.matches.get(entry.key, ()) if one.state.value not in undone} - {record.id}
        if left:
            raise ReviewNeededError(
                f"{entry.key} is still recorded by {', '.join(sorted(left))} as well. Report a refund or cancel the "
                "attempt there first, then say which one stands."
            )
        return (_not_looked(search),) if search.error else ()

    def _retrieve(self, payment_record: str) -> PaymentRecord:
        try:
            command = RetrievePaymentRecord(payment_record=payment_record)
        except ValueError:
            raise UsageError(f"{payment_record} is no id of a Payment Record.") from None

        async def ask(transport: AsyncTransport) -> PaymentRecord:
            called = await transport.run(call(command, encode(command), self._settings.retry_policy, uniform_jitter()))
            record: PaymentRecord = raise_for(called)
            return record

        try:
            return self._ask(ask)
        except InvalidRequestError as error:
            raise UsageError(
                f"The API has no {payment_record} in this account and mode ({error.status}). Nothing was changed."
            ) from None

    def _search(self, entries: Sequence[Entry]) -> Search:
        source = entries[0].scope.source
        policy = self._settings.retry_policy
        return self._ask(lambda transport: search_records(entries, source, transport, policy, uniform_jitter()))

    def _ask(self, question: Callable[[AsyncTransport], Awaitable[AnswerT]]) -> AnswerT:
        async def asked() -> AnswerT:
            transport = AsyncTransport(self._settings, connections=1, network=self._network, now=self._now)
            try:
                return await question(transport)
            finally:
                await transport.close()

        return asyncio.run(asked())

    def _groups(self, selection: Selection) -> Iterator[tuple[Scope, Iterator[Entry]]]:
        chosen = Selection(
            account=self._settings.account_scope,
            mode=self._settings.mode,
            endpoint=ReportPayment.endpoint,
            source=selection.source,
            states=OPEN_STATES,
        )
        for scope, entries in groupby(self._ledger.entries(chosen), key=lambda entry: entry.scope):
            yield scope, (entry for entry in entries if entry.may_exist and entry.payment_record is None)

    def _settle(
        self, entry: Entry, event: Event, record: PaymentRecord | None, unchecked: tuple[str, ...]
    ) -> Resolution:
        run_id = new_word_id("review", self._now)
        word = Settlement(
            key=entry.key,
            idempotency_key=entry.idempotency_key,
            event=event,
            payment_record=record.id if record else None,
            payment_attempt_record=record.latest_payment_attempt_record if record else None,
            run_id=run_id,
        )
        changed = keep_word(self._ledger, entry.scope, run_id, event.value, [word], self._now)
        if not changed:
            raise ReviewNeededError(f"{entry.key} changed meanwhile. Look again: payrecords review.")
        return Resolution(entry, changed[0], unchecked)

    def _confirm(self, scope: Scope, entries: Sequence[Entry], search: Search) -> list[Entry]:
        run_id = new_word_id("review", self._now)
        settlements = list(search.settlements(entries, run_id))
        if not settlements:
            return []
        changed = keep_word(self._ledger, scope, run_id, "look", settlements, self._now)
        return [entry for entry in changed if entry.state is State.CONFIRMED]


def find_entry(ledger: LedgerStore, selection: Selection) -> Entry:
    """
    Return the one entry of *selection*, which names a key.

    Raises:
        UsageError: There is none, or more than one.
    """
    found = list(islice(ledger.entries(selection), 5))
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageError(f"The ledger has no payment {selection.key}. payrecords review lists those that are open.")
    scopes = (one.scope for one in found)
    said = "; ".join(f"--endpoint {one.endpoint} --source {one.source} in {one.account}" for one in scopes)
    raise UsageError(f"The ledger has {selection.key} more than once. Say which: {said}.")


def why_not_found(entry: Entry, now: datetime) -> str | None:
    """Return why no person needs to name the record of *entry*, or None if one may."""
    if lapse_if_over(entry, "", now).state is State.CLAIMED:
        return _refused(entry, Objection.CLAIMED).message
    if entry.state not in OPEN_STATES or (entry.payment_record and entry.error_code != SECOND_RECORD):
        return _refused(entry, Objection.RECORD_KNOWN if entry.payment_record else Objection.NOTHING_OPEN).message
    return None


def why_not_absent(entry: Entry, now: datetime) -> str | None:
    """Return why *entry* cannot be said to be absent at present, or None if a person may."""
    objection = objection_to_absent(entry, now)
    return None if objection is None else _refused(entry, objection).message


def _not_looked(search: Search) -> str:
    error = search.error
    why = "the list of records is not offered" if isinstance(error, NOT_OFFERED) else "not all records were read"
    return f"that there is no other record of it: {why}"


def _refused(entry: Entry, objection: Objection) -> PayRecordsError:
    key = entry.key
    if objection is Objection.CLAIMED:
        return HeldError(f"A worker is sending {key} until {_shown(entry.lease_until)}. Wait for it.")
    if objection is Objection.ON_ITS_WAY:
        until = _shown(quiet_from(entry))
        return HeldError(f"A request for {key} may still take effect. Say that it is absent after {until}.")
    if objection is Objection.SAME_KEY:
        expires = _shown(entry.claimed_at and entry.claimed_at + REPLAY_WINDOW)
        return HeldError(
            f"{key} is not lost yet: run again, and the same idempotency key is sent. It can be said to be absent "
            f"after {expires}."
        )
    if objection is Objection.RECORD_KNOWN:
        return ReviewNeededError(f"{entry.key} has a record, {entry.payment_record or 'confirmed by an answer'}.")
    return ReviewNeededError(f"Nothing of {entry.key} was recorded; it is {entry.state.value}, and needs no word.")


def _shown(instant: datetime | None) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC" if instant else "its lease ends"
