"""The table of Telnyx's codes against the list of those that are known (developers.telnyx.com, error-codes)."""

from __future__ import annotations

import pytest

from offhook.telephony.carrier import Treatment
from offhook.telephony.carriers.telnyx.errors import ERRORS, first_code, is_in_doubt, refusal_of

KNOWN = {
    Treatment.RETRY: "10011",
    Treatment.WAIT_SENDER: "40011 40018 40318 40320 40333",
    Treatment.WAIT_DAY: "40016",
    Treatment.RETRY_LATER: "40004 40006 40008",
    Treatment.FAIL: "10001 10002 10003 10004 10005 10015 10016 40005 40009 40012 40014 40301 40302 40304 40308 40310"
    " 40316 40317 40328",
    Treatment.ALERT: "10006 10007 10039 40002 40015 40017 40020 40309 40322",
    Treatment.SUPPRESS: "40300",
    Treatment.UNREACHABLE: "40001",
    Treatment.STOP_SENDER: "40003 40010 40013 40019 40100 40305 40306 40307 40312 40315 40321 40325 40329 40330 40331",
    Treatment.STOP_ACCOUNT: "10009 10010 20100 40314",
}


@pytest.mark.parametrize("treatment", Treatment)
def test_each_known_code_has_its_treatment_and_no_other_is_in_the_table(treatment: Treatment) -> None:
    found = {code for code, refusal in ERRORS.items() if refusal.treatment is treatment}
    assert found == set(KNOWN[treatment].split())


@pytest.mark.parametrize("code", ERRORS)
def test_each_sentence_is_one_and_says_who_must_act_where_somebody_must(code: str) -> None:
    refusal = refusal_of(code)
    assert refusal.code == code
    assert refusal.sentence.endswith(".")
    if refusal.treatment in {Treatment.ALERT, Treatment.STOP_SENDER, Treatment.STOP_ACCOUNT}:
        assert "an operator m" in refusal.sentence


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ({"errors": [{"code": "40300"}, {"code": "1"}]}, "40300"),
        ({"errors": [{"code": 40300}]}, "40300"),
        ({"errors": [{"code": "4\x0003" + "0" * 100}]}, "403" + "0" * 17),
        ({"errors": []}, None),
        ({"errors": [{"code": None}]}, None),
        ({"errors": {"code": "1"}}, None),
        ([], None),
        (None, None),
    ],
)
def test_the_first_code_is_taken_if_there_is_one(content: object, code: str | None) -> None:
    assert first_code(content) == code


@pytest.mark.parametrize(
    ("status", "code", "doubt"),
    [
        (409, None, True),
        (409, "40300", False),
        (422, "10034", True),
        (422, "10015", True),
        (422, None, True),
        (422, "10004", False),
        (400, "10015", False),
    ],
)
def test_what_is_told_of_another_request_with_the_same_key_settles_nothing(
    status: int, code: str | None, doubt: bool
) -> None:
    content = {"errors": [{"code": code}]} if code else None
    assert is_in_doubt(status, content) is doubt
