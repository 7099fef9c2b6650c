"""
Where a record stands towards a state that somebody waits for. The table is the whole rule; there is no clock in it.

The API has no status: a record's state is read off the amount buckets (``PaymentRecord.state``). Which state may follow
which is published only in part, so the table says "never" where the API is documented to refuse what would be needed,
and leaves the choice to the caller where a new attempt may still be reported.

Source:
    https://docs.stripe.com/payments/payment-records (a new attempt is legal only when every earlier one is failed or
    canceled; failed, canceled and guaranteed are refused once the latest attempt is guaranteed; a refund needs a
    guaranteed attempt). That no call takes a refund back is read from the list of calls in stripe-python 16.1.0
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from enum import Enum
from typing import Any

from airflow_provider_payrecords.core.errors import CommandError
from airflow_provider_payrecords.core.models import RecordState


class Standing(str, Enum):
    """What a record's present state means for one who waits."""

    REACHED = "reached"  # it is there
    COMING = "coming"  # it may come by reports on the attempt that is the latest
    CLOSED = "closed"  # the latest attempt ended otherwise; a new attempt may bring it
    NEVER = "never"  # no legal report leads there any more


_STATES = (
    RecordState.PENDING,
    RecordState.FAILED,
    RecordState.CANCELED,
    RecordState.GUARANTEED,
    RecordState.PARTIALLY_REFUNDED,
    RecordState.REFUNDED,
)


def _row(standings: str) -> Mapping[RecordState, Standing]:
    return dict(zip(_STATES, map(Standing, standings.split()), strict=True))


STANDINGS: Mapping[RecordState, Mapping[RecordState, Standing]] = {
    # waited for                           pending failed  canceled guaranteed partly refunded refunded
    RecordState.GUARANTEED: _row("         coming  closed  closed   reached    reached         never"),
    RecordState.FAILED: _row("             coming  reached closed   never      never           never"),
    RecordState.CANCELED: _row("           coming  closed  reached  never      never           never"),
    RecordState.PARTIALLY_REFUNDED: _row(" coming  closed  closed   coming     reached         reached"),
    RecordState.REFUNDED: _row("           coming  closed  closed   coming     coming          reached"),
}
"""
Waited for → present state → standing.

``guaranteed`` means money that is guaranteed and not all given back; ``partially_refunded`` means that some of it was
given back, all of it included.
"""

_BEST_FIRST = (Standing.REACHED, Standing.COMING, Standing.CLOSED, Standing.NEVER)


def parse_states(value: Any) -> tuple[RecordState, ...]:
    """
    Return the states that *value* names: one name, or several of which any will do.

    Raises:
        CommandError: It names none, or one that cannot be waited for.
    """
    names = [value] if isinstance(value, str) else list(value) if isinstance(value, Iterable) else []
    known = [state.value for state in STANDINGS]
    if not names or any(name not in known for name in names):
        message = f"Give one of {', '.join(known)}, or a list of them."
        raise CommandError(
            f"state: {message}", problems=[{"field": "state", "code": "invalid_state", "message": message}]
        )
    return tuple(dict.fromkeys(RecordState(name) for name in names))


def standing(wanted: Collection[RecordState], present: RecordState) -> Standing:
    """Return where a record in state *present* stands towards any of *wanted*, of which there is at least one."""
    return min((STANDINGS[state][present] for state in wanted), key=_BEST_FIRST.index)
