"""The whole table of transitions, step by step, with the official SDK."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from airflow_provider_payrecords.core.models import PaymentRecord, RecordState
from airflow_provider_payrecords.sandbox.state import TRANSITIONS
from tests.sandbox.samples import CALLS, PATHS, PAYMENT

PAYMENT_PARAMS: Any = PAYMENT


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("state", RecordState)
def test_step_is_done_or_refused_as_the_table_says(
    records: stripe.PaymentRecordService, state: RecordState, call: str
) -> None:
    record = records.report_payment(PAYMENT_PARAMS)
    for step, params in PATHS[state]:
        record = getattr(records, step)(record.id, params)
    assert PaymentRecord(**record.to_dict()).state is state
    if (state, call) in TRANSITIONS:
        assert getattr(records, call)(record.id, CALLS[call]).id == record.id
        return
    with pytest.raises(stripe.InvalidRequestError) as refused:
        getattr(records, call)(record.id, CALLS[call])
    assert (refused.value.http_status, refused.value.code, refused.value.param) == (400, None, None)
    assert records.retrieve(record.id).to_dict() == record.to_dict()
