"""What an API's message may still say after ``core/scrub.py``: none of the customer's data, whoever echoes it."""

from __future__ import annotations

import html
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from airflow_provider_payrecords.core.commands import Command, RetrievePaymentRecord, build
from airflow_provider_payrecords.core.form import encode_form
from airflow_provider_payrecords.core.identity import KEY_STAMP, stamp
from airflow_provider_payrecords.core.scrub import MAX_MESSAGE, scrub
from tests.core.test_identity import payment

ADDRESS = {
    "city": "Ünterstadt-Süd",
    "country": "QX",
    "line1": "Kanariengasse 17",
    "line2": 'Hinterhaus "b" & Co',
    "postal_code": "QX-90210",
    "state": "QX-ZZ",
}
PERSON = {"name": "Zoë van der Canary", "phone": "+49 (170) 555-0123", "email": "zoe.canary+shop@example.org"}
ODD = "q9\"&'\n<ë"
COMMAND = payment(
    customer_details={"customer": "cus_CanaryCustomer", **PERSON},
    description="Canary cheque\nfor the\tbirthday <of> Zoë, a text that is long enough to be cut short by a server",
    metadata={"note": "canary-note-7", "short": "q7", "odd": ODD},
    payment_method_details={"type": "custom", "billing_details": {"address": ADDRESS, **PERSON, "name": "Li Qi"}},
    shipping_details={"address": ADDRESS, "name": "Bo", "phone": "0031 6 9876543"},
)
SECRETS = [
    *ADDRESS.values(),
    *PERSON.values(),
    "Li Qi",
    "Bo",
    "0031 6 9876543",
    "cus_CanaryCustomer",
    COMMAND.params()["description"],
    "canary-note-7",
    "q7",
    ODD,
]
SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "upper case": str.upper,
    "lower case": str.lower,
    "json": json.dumps,
    "json with letters": lambda value: json.dumps(value, ensure_ascii=False),
    "python": repr,
    "percent": lambda value: quote(value, safe=""),
    "form": quote_plus,
    "html": html.escape,
    "on several lines": lambda value: value.replace(" ", "\n  "),
}


@pytest.mark.parametrize("spelling", sorted(SPELLINGS))
@pytest.mark.parametrize("secret", SECRETS, ids=range(len(SECRETS)))
def test_an_echoed_value_does_not_stay_in_the_message(secret: str, spelling: str) -> None:
    spelled = SPELLINGS[spelling](secret)
    said = scrub(f"Invalid value: '{spelled}' was refused.", COMMAND)
    assert "[hidden]" in said
    assert " ".join(spelled.split()).lower() not in said.lower()
    assert said.startswith("Invalid value:")


@pytest.mark.parametrize(
    "echo",
    [
        str(COMMAND.params()),
        json.dumps(COMMAND.params()),
        encode_form(COMMAND.params()).decode(),
        urlencode({"description": COMMAND.params()["description"]}),
    ],
    ids=["python", "json", "form", "one field"],
)
def test_a_whole_body_that_is_echoed_leaves_no_trace(echo: str) -> None:
    said = scrub(echo, COMMAND).lower()
    for word in ("canary", "zo", "kanarien", "90210", "5550123", "9876543", "birthday", "li qi"):
        assert word not in said


def test_a_part_of_a_name_or_address_is_hidden() -> None:
    assert scrub("Dear Canary, of Kanariengasse", COMMAND) == "Dear [hidden], of [hidden]"


@pytest.mark.parametrize("phone", ["+491705550123", "0170 555 0123", "49-170-555-0123", "(0170) 5550123"])
def test_a_phone_number_written_otherwise_is_hidden(phone: str) -> None:
    assert scrub(f"Call {phone} now", COMMAND) in ("Call [hidden] now", "Call +[hidden] now", "Call ([hidden] now")


def test_other_numbers_are_kept() -> None:
    assert scrub("initiated_at 1793610000 is late", COMMAND) == "initiated_at 1793610000 is late"


def test_an_echo_that_the_server_cut_short_ends_the_message() -> None:
    long = COMMAND.params()["description"]
    assert scrub(f"Too long: {long[:40]}… (more)", COMMAND) == "Too long: [hidden]"


@pytest.mark.parametrize("key", ["sk_test_51Abc", "rk_live_x.y", "pk_test_1", "Bearersk_live_1"])
def test_keys_are_hidden_whoever_they_belong_to(key: str) -> None:
    assert key[-5:] not in scrub(
        f"Invalid API Key provided: {key}", build(RetrievePaymentRecord, {"payment_record": "p"})
    )


KEYS = st.from_regex(r"(sk|rk|pk)_(test|live)_[A-Za-z0-9_*]{1,60}", fullmatch=True)


@pytest.mark.parametrize("around", ["''", '""', "``", "()", "[]", "<>", "{}", ",,", ";;", '\\"', "  "])
@given(key=KEYS)
@example(key="sk_test_***1234")
def test_of_a_key_nothing_stays_and_of_what_is_around_it_everything(around: str, key: str) -> None:
    said = scrub(f"The provided key {around[0]}{key}{around[1]} does not have access.", payment())
    assert said == " ".join(f"The provided key {around[0]}[hidden]{around[1]} does not have access.".split())


@pytest.mark.parametrize("address", ["someone@else.example", "someone%40else.example", "a.b+c@d.e"])
def test_an_email_address_is_hidden_even_if_nobody_sent_it(address: str) -> None:
    assert scrub(f"<{address}> is unknown", COMMAND) == "<[hidden]> is unknown"


def test_what_is_not_personal_is_kept() -> None:
    said = "No such payment_record: 'pr_123'; Invalid currency: eur. CHQ-1 of type custom"
    assert scrub(said, COMMAND) == said


def test_short_values_are_hidden_as_words_only() -> None:
    assert scrub("Bo bought a book: q7 of q70, b", COMMAND) == "[hidden] bought a book: [hidden] of q70, b"


def test_a_single_letter_is_no_secret() -> None:
    assert scrub("a b c", payment(description="b")) == "a b c"


def test_our_own_stamps_are_kept() -> None:
    stamped = stamp(COMMAND, "adyen-eu", "PSP-1")
    assert scrub(f"{KEY_STAMP} PSP-1 of adyen-eu", stamped) == f"{KEY_STAMP} PSP-1 of adyen-eu"


def test_a_message_is_one_line_of_bounded_length() -> None:
    said = scrub("first\r\n\tsecond " + "x" * 1000, COMMAND)
    assert said.startswith("first second xxx")
    assert (len(said), said[-1]) == (MAX_MESSAGE, "…")


@pytest.mark.parametrize("length", [MAX_MESSAGE - 1, MAX_MESSAGE])
def test_a_message_that_fits_is_whole(length: int) -> None:
    assert scrub("x" * length, COMMAND) == "x" * length


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=4, max_size=30)


@given(TEXTS, TEXTS, st.sampled_from(["description", "metadata", "name"]))
def test_no_value_survives_its_echo(value: str, around: str, field: str) -> None:
    fields: dict[str, Any] = {
        "description": {"description": value},
        "metadata": {"metadata": {"k": value}},
        "name": {"shipping_details": {"name": value}},
    }
    command: Command = payment(**fields[field])
    said = scrub(f"{around} '{value}' {around}", command)
    assert value not in said.replace("[hidden]", "")


def test_a_message_of_one_endless_word_is_scrubbed_in_no_time() -> None:
    begun = time.monotonic()
    assert len(scrub("a" * 200_000, payment())) == MAX_MESSAGE
    assert time.monotonic() - begun < 2
