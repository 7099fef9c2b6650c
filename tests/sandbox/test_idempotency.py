"""One key, one effect: what is kept, what is not, for how long and for whom."""

from __future__ import annotations

from tests.sandbox.samples import PAYMENT, REPORT, START, Api, Clock


def test_first_answer_is_given_again_even_if_the_record_changed(api: Api) -> None:
    first = api.post(REPORT, PAYMENT, "k")
    api.act(first.body["id"], "report_payment_attempt_failed")
    again = api.post(REPORT, PAYMENT, "k")
    assert (again.status, again.reply.content) == (200, first.reply.content)
    assert len(api.sandbox.records()) == 1


def test_replay_says_so_and_names_the_first_request(api: Api) -> None:
    first, again = api.post(REPORT, PAYMENT, "k"), api.post(REPORT, PAYMENT, "k")
    assert "idempotent-replayed" not in first.headers
    assert first.headers["original-request"] == first.headers["request-id"]
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["original-request"] == first.headers["request-id"] != again.headers["request-id"]
    assert again.headers["idempotency-key"] == "k"


def test_other_parameters_under_one_key_are_refused(api: Api) -> None:
    first = api.post(REPORT, PAYMENT, "k")
    answer = api.post(REPORT, {**PAYMENT, "description": "other"}, "k")
    assert (answer.status, answer.error["type"], "code" in answer.error) == (400, "idempotency_error", False)
    assert answer.headers["original-request"] == first.headers["request-id"]
    assert len(api.sandbox.records()) == 1


def test_another_endpoint_under_one_key_is_refused(api: Api) -> None:
    record = api.post(REPORT, PAYMENT, "k").body["id"]
    answer = api.act(record, "report_payment_attempt_failed", key="k")
    assert answer.error["type"] == "idempotency_error"
    assert REPORT in answer.error["message"]


def test_errors_of_a_run_are_kept(api: Api) -> None:
    record = api.report()["id"]
    refused = api.act(record, "report_payment_attempt", key="k")
    api.act(record, "report_payment_attempt_failed")
    again = api.act(record, "report_payment_attempt", key="k")
    assert (again.status, again.headers["idempotent-replayed"]) == (400, "true")
    assert again.reply.content == refused.reply.content


def test_failed_validation_is_not_kept(api: Api) -> None:
    assert api.post(REPORT, {**PAYMENT, "foo": "1"}, "k").status == 400
    assert api.post(REPORT, PAYMENT, "k").status == 200


def test_unknown_record_is_kept_under_its_key(api: Api) -> None:
    assert api.act("pr_none", "report_payment_attempt_failed", key="k").status == 404
    assert api.act("pr_none", "report_payment_attempt_failed", key="k").headers["idempotent-replayed"] == "true"


def test_key_is_new_again_after_a_day(api: Api, clock: Clock) -> None:
    first = api.report("k")
    clock.now += 24 * 3600 - 1
    assert api.report("k") == first
    clock.now += 1
    assert api.report("k")["id"] != first["id"]


def test_replacement_of_a_forgotten_answer_is_kept_for_a_day_of_its_own(api: Api, clock: Clock) -> None:
    api.report("k")
    clock.now = START + 25 * 3600
    second = api.report("k")
    clock.now = START + 48 * 3600
    assert api.report("k") == second


def test_keys_of_modes_and_accounts_are_apart(api: Api) -> None:
    others = [Api(api.sandbox, "sk_live_1234567890"), Api(api.sandbox, stripe_account="acct_2")]
    records = [one.report("k")["id"] for one in (api, *others)]
    assert len(set(records)) == 3


def test_reads_ignore_the_key(api: Api) -> None:
    asking = Api(api.sandbox, idempotency_key="k")
    answer = asking.get("/v1/payment_records")
    api.report()
    again = asking.get("/v1/payment_records")
    assert (len(answer.body["data"]), len(again.body["data"])) == (0, 1)
    assert "idempotency-key" not in again.headers


def test_key_longer_than_255_characters_is_refused(api: Api) -> None:
    assert api.post(REPORT, PAYMENT, "k" * 255).status == 200
    assert api.post(REPORT, PAYMENT, "k" * 256).status == 400


def test_requests_without_a_key_are_all_new(api: Api) -> None:
    assert api.report()["id"] != api.report()["id"]
