"""What a flow may ask, ``core/effects.py``: a closed set of frozen requests, each with one kind of answer."""

from __future__ import annotations

import re
from typing import Any, get_args

import pytest

from airflow_provider_payrecords.core.effects import Claim, Effect, EffectAnswer, Send, Sent, Settle, Sleep
from airflow_provider_payrecords.core.entry import Decision, Entry
from airflow_provider_payrecords.core.wire import ApiRequest

EFFECTS: dict[type[Any], Any] = {Send: Sent, Sleep: None, Claim: Decision, Settle: Entry}


def test_the_effects_and_their_answers_are_a_closed_set() -> None:
    assert set(get_args(Effect)) == set(EFFECTS)
    assert set(get_args(EffectAnswer)) == {type(None) if kind is None else kind for kind in EFFECTS.values()}


@pytest.mark.parametrize("effect", EFFECTS, ids=lambda effect: effect.__name__)
def test_an_effect_is_frozen_and_says_what_it_is_answered_with(effect: type[Any]) -> None:
    answer = EFFECTS[effect]
    assert issubclass(effect, tuple)
    said = " ".join((effect.__doc__ or "").replace("``", "").split())
    assert re.search(rf"Answered with (a |the )?{answer.__name__ if answer else 'None'}\b", said)


def test_an_effect_is_a_value() -> None:
    one, two = (Send(ApiRequest("GET", "/v1/payment_records")) for _ in range(2))
    assert one == two
    assert hash(one) == hash(two)
    with pytest.raises(AttributeError):
        one.request = two.request  # type: ignore[misc]  # what is frozen cannot be assigned
