"""
The double itself: a request in, an answer out, in the service's order.

Authenticate → rate limit → version → route → permission → idempotency lookup → parameter validation → run → save →
answer. What happens from *run* on is kept under the idempotency key, errors included; what is refused before is not.
One lock holds it all, so each call is alone.

Source:
    https://docs.stripe.com/api/idempotent_requests for what is kept; the place of the lookup is a choice
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from airflow_provider_payrecords.core.commands import Command
from airflow_provider_payrecords.core.errors import UsageError
from airflow_provider_payrecords.sandbox import calls, versions
from airflow_provider_payrecords.sandbox.config import InvoiceSeed, SandboxConfig
from airflow_provider_payrecords.sandbox.errors import (
    RefusalError,
    in_other_mode,
    key_in_use,
    object_locked,
    rate_limited,
    server_failure,
    unknown_url,
)
from airflow_provider_payrecords.sandbox.exchange import Call, Delivery, Incoming, Reply, decode_request, to_json
from airflow_provider_payrecords.sandbox.expansion import check_expand
from airflow_provider_payrecords.sandbox.faults import FaultBoard, FaultKind
from airflow_provider_payrecords.sandbox.identifiers import random_id
from airflow_provider_payrecords.sandbox.journal import Journal, JournalLine
from airflow_provider_payrecords.sandbox.keys import authenticate
from airflow_provider_payrecords.sandbox.limits import Limiter
from airflow_provider_payrecords.sandbox.objects import Change, Holdings, Invoice, Moment, Realm
from airflow_provider_payrecords.sandbox.render import Renderer
from airflow_provider_payrecords.sandbox.routes import match
from airflow_provider_payrecords.sandbox.storage import Commit, NoStorage, Storage
from airflow_provider_payrecords.sandbox.validation import check, digest
from airflow_provider_payrecords.sandbox.world import World

_UNAVAILABLE = b"<html><head><title>503 Service Temporarily Unavailable</title></head><body></body></html>"


def wall_clock() -> float:
    """Return epoch seconds. The clock is looked up at each call, so that a frozen one counts."""
    return time.time()


class Sandbox:
    """
    A local double of the Payment Records API, without a network. Safe to use from any thread.

    Args:
        storage: Where commits go; nowhere by default.
        clock: Epoch seconds.
        new_id: Prefix → an id that was never given out.

    Attributes:
        faults: Switches for trouble, to be changed at any time.
    """

    def __init__(
        self,
        config: SandboxConfig | None = None,
        *,
        storage: Storage | None = None,
        clock: Callable[[], float] = wall_clock,
        new_id: Callable[[str], str] = random_id,
    ) -> None:
        self.config = config or SandboxConfig()
        self.faults = FaultBoard(self.config.faults, self.config.fault_mix)
        self._clock = clock
        self._new_id = new_id
        self._lock = threading.RLock()
        self._limiter = Limiter(self.config.rate_limits)
        self._world = World(storage or NoStorage(), self.config.idempotency_hours * 3600)
        if self._world.is_new:
            self._seed()

    @property
    def journal(self) -> Journal:
        """Every effect that was committed."""
        return self._world.journal

    def handle(self, request: Incoming) -> Reply:
        """Answer one request. The caller waits, calls ``Reply.done`` and delivers."""
        with self._lock:
            call = Call(request, self._new_id("req"), self._clock(), self.config.default_version)
            try:
                return self._serve(call)
            except RefusalError as refusal:
                return call.reply(refusal.status, to_json(refusal.body(call.log_url)), refusal.headers)

    def records(self, realm: Realm | None = None) -> list[dict[str, Any]]:
        """Return the payment records of *realm* as the API shows them, oldest first."""
        with self._lock:
            view, holdings = self.view(realm or Realm())
            return [view.record(record) for record in holdings.order]

    def view(self, realm: Realm) -> tuple[Renderer, Holdings]:
        """Return the objects of *realm* and a renderer for them, at the default version."""
        holdings = self._world.holdings(realm)
        return Renderer(realm, holdings, self.config.refund_model, self.config.default_version), holdings

    def realms(self) -> list[Realm]:
        """Return the realms that hold anything."""
        with self._lock:
            return [realm for realm, holdings in self._world.realms.items() if holdings.records or holdings.invoices]

    def add_invoice(self, seed: InvoiceSeed) -> dict[str, Any]:
        """
        Make an invoice and return it as the API shows it.

        Raises:
            UsageError: There is one with this id.
        """
        with self._lock:
            realm = Realm(seed.account, seed.livemode)
            if seed.id in self._world.holdings(realm).invoices:
                raise UsageError(f"The sandbox has an invoice {seed.id} already. Leave the id out, or reset it.")
            due = seed.model_dump(include={"amount_due", "currency", "status", "customer"})
            invoice = Invoice(id=seed.id or self._new_id("in"), created=int(self._clock()), **due)
            if seed.status == "paid":
                invoice = replace(invoice, amount_paid=seed.amount_due, paid_at=invoice.created)
            change = Change(invoices=(invoice,))
            view, holdings = self.view(realm)
            holdings.apply(change)
            self._world.commit(Commit(realm, change))
            return view.invoice(invoice)

    def reset(self) -> None:
        """Forget objects, saved answers and journal; invoices of the configuration come back. Faults stay."""
        with self._lock:
            self._world.clear()
            self._limiter = Limiter(self.config.rate_limits)
            self._seed()

    def close(self) -> None:
        """Let go of the storage."""
        with self._lock:
            self._world.close()

    def _seed(self) -> None:
        for seed in self.config.invoices:
            self.add_invoice(seed)

    def _serve(self, call: Call) -> Reply:
        request = call.request
        caller = authenticate(request.headers, self.config)
        call.realm = caller.realm
        found = match(request.method, request.path)
        reason = self._limiter.refuse(caller.realm, found[0].endpoint if found else None, call.now)
        if reason is not None:
            raise rate_limited(reason)
        call.version = versions.resolve(request.headers.get("stripe-version"), self.config.default_version)
        if found is None or not versions.has_endpoint(found[0].endpoint, call.version):
            raise unknown_url(request.method, request.path)
        route, call.identifier = found
        call.endpoint = route.endpoint
        caller.require(route.permission)
        call.fault = self.faults.draw(route.endpoint)
        return self._turned_away(call) or self._answered(call, route.command)

    def _turned_away(self, call: Call) -> Reply | None:
        """Return what comes from in front of the API, if trouble is there."""
        if self._meets(call, FaultKind.UNAVAILABLE):
            return Reply(503, {"content-type": "text/html"}, _UNAVAILABLE)
        if self._meets(call, FaultKind.DROP_BEFORE):
            return Reply(503, {}, b"", Delivery.NONE)
        if call.fault is not None and self._meets(call, FaultKind.RATE_LIMIT):
            raise rate_limited(call.fault.reason)
        return None

    def _answered(self, call: Call, command: type[Command]) -> Reply:
        values = decode_request(call.request)
        call.digest = digest(values)
        if call.key is not None:
            if self._meets(call, FaultKind.KEY_IN_USE):
                raise key_in_use(call.key)
            saved = self._world.answers.look_up(call.realm, call.key, call.request.path, call.digest, call.now)
            if saved is not None:
                return self._delivered(call, call.replay(saved))
        params = check(command, values, call.version)
        return self._delivered(call, self._run(call, params))

    def _run(self, call: Call, params: dict[str, Any]) -> Reply:
        expand = check_expand(call.endpoint, params.pop("expand", ()))
        if self._meets(call, FaultKind.LOCK):
            raise object_locked()
        if call.fault is not None and self._meets(call, FaultKind.ERROR_BEFORE):
            return self._finish(call, server_failure(), keep=call.fault.is_saved)
        holdings = self._world.holdings(call.realm)
        view = Renderer(call.realm, holdings, self.config.refund_model, call.version)
        try:
            if call.request.method == "GET":
                body = calls.read(call.endpoint, calls.Question(holdings, call.identifier, params, view, expand))
                return self._finish(call, body)
            moment = Moment(int(call.now), self._new_id)
            change = calls.write(call.endpoint, holdings, call.identifier, params, moment)
        except RefusalError as refusal:
            return self._finish(call, self._with_hint(call.realm, refusal))
        line = self._line(call, change, holdings, params)
        holdings.apply(change)
        return self._finish(
            call, calls.shown_after(call.endpoint, change, holdings, view, expand), change=change, line=line
        )

    def _finish(
        self,
        call: Call,
        outcome: dict[str, Any] | RefusalError,
        *,
        change: Change | None = None,
        line: JournalLine | None = None,
        keep: bool = True,
    ) -> Reply:
        """Commit what ran, and keep the answer if the request had an idempotency key."""
        if call.fault is not None and self._meets(call, FaultKind.ERROR_AFTER):
            outcome, keep = server_failure(), call.fault.is_saved
        status, body = (
            (outcome.status, outcome.body(call.log_url)) if isinstance(outcome, RefusalError) else (200, outcome)
        )
        content = to_json(body)
        answer = call.to_save(status, content) if keep else None
        if change is not None or answer is not None:
            self._world.commit(Commit(call.realm, change, answer, line))
        return call.reply(status, content)

    def _delivered(self, call: Call, reply: Reply) -> Reply:
        if self._meets(call, FaultKind.DROP_AFTER):
            return replace(reply, delivery=Delivery.NONE)
        if self._meets(call, FaultKind.TRUNCATED):
            return replace(reply, delivery=Delivery.PART)
        if call.fault is not None and self._meets(call, FaultKind.SLOW):
            return replace(reply, delay_seconds=call.fault.seconds, done=self._hold(call))
        return reply

    def _hold(self, call: Call) -> Callable[[], None]:
        realm, key, answers = call.realm, call.key, self._world.answers
        if key is None:
            return lambda: None
        answers.hold(realm, key)
        return lambda: answers.release(realm, key)

    def _meets(self, call: Call, kind: FaultKind) -> bool:
        if call.fault is None or call.fault.kind is not kind:
            return False
        self.faults.spend(call.fault)
        return True

    def _with_hint(self, realm: Realm, refusal: RefusalError) -> RefusalError:
        other = replace(realm, livemode=not realm.livemode)
        there = self._world.realms.get(other)
        if there is None or refusal.absent is None:
            return refusal
        exists = any(refusal.absent in kind for kind in (there.records, there.attempts, there.invoices))
        return in_other_mode(refusal, realm.mode, other.mode) if exists else refusal

    def _line(self, call: Call, change: Change, holdings: Holdings, params: Mapping[str, Any]) -> JournalLine:
        attempt = calls.subject(call.endpoint, change, holdings)
        before = holdings.attempts.get(attempt.id)
        amount: int | None = attempt.value
        if call.endpoint == "report_refund" and before is not None:
            amount = attempt.refunded - before.refunded
        if call.endpoint == "report_payment_attempt_informational":
            amount = None
        metadata = params.get("metadata") or {}
        return JournalLine(
            sequence=len(self.journal) + 1,
            time=call.now,
            method=call.request.method,
            path=call.request.path,
            endpoint=call.endpoint,
            account=call.realm.account,
            mode=call.realm.mode,
            idempotency_key=call.key,
            request_id=call.request_id,
            payment_record=attempt.record,
            amount=amount,
            currency=None if amount is None else attempt.currency,
            payrecords_key=metadata.get("payrecords_key"),
        )
