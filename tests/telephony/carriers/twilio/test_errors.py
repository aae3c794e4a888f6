"""The table of Twilio's codes against the list of those that are known (facts/telephony.md 1.5)."""

from __future__ import annotations

import pytest

from offhook.telephony.carrier import Treatment
from offhook.telephony.carriers.twilio.errors import ERRORS, refusal_of

KNOWN = {
    Treatment.RETRY: "20429",
    Treatment.WAIT_SENDER: "21611 30001 30022",
    Treatment.WAIT_DAY: "30023 30027",
    Treatment.RETRY_LATER: "30003 30008 30410",
    Treatment.FAIL: "12300 20009 20404 20422 21211 21217 21266 21602 21603 21604 21612 21617 21620 21623 30004 30011"
    " 30019 30036 35111 35114 35118",
    Treatment.ALERT: "11200 14107 21408 21606 21608 30007 30010 30450 35125",
    Treatment.SUPPRESS: "21610",
    Treatment.UNREACHABLE: "21614 30005 30006",
    Treatment.STOP_SENDER: "21212 21703 21704 30032 30034 30035",
    Treatment.STOP_ACCOUNT: "20003 30002",
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


def test_what_is_sent_again_is_sent_again_once_or_twice() -> None:
    repeats = {code: refusal.repeats for code, refusal in ERRORS.items() if refusal.repeats}
    assert repeats == {"30003": 2, "30008": 1, "30410": 1}
