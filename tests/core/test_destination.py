"""What kind of line a number is, and whether a policy lets us reach it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.core.destination import (
    Allowed,
    DestinationKind,
    DestinationPolicy,
    Refused,
    classify,
    decide,
)
from offhook.core.phone import parse_e164

KIND = DestinationKind


@pytest.mark.parametrize(
    ("number", "kind", "region"),
    [
        ("+12024561111", KIND.FIXED_LINE_OR_MOBILE, "US"),
        ("+14165551234", KIND.FIXED_LINE_OR_MOBILE, "CA"),
        ("+18765551234", KIND.MOBILE, "JM"),
        ("+4915112345678", KIND.MOBILE, "DE"),
        ("+4930123456", KIND.FIXED_LINE, "DE"),
        ("+18662345678", KIND.TOLL_FREE, "US"),
        ("+19002345678", KIND.PREMIUM, "US"),
        ("+12029761234", KIND.PREMIUM, "US"),
        ("+12025551212", KIND.PREMIUM, "US"),
        ("+33899123456", KIND.PREMIUM, "FR"),
        ("+979123456789", KIND.PREMIUM, None),
        ("+447012345678", KIND.PERSONAL, "GB"),
        ("+881612345678", KIND.SATELLITE, None),
        ("+882101234567", KIND.SATELLITE, None),
        ("+883510001234", KIND.SATELLITE, None),
        ("+870773111632", KIND.SATELLITE, None),
        ("+12025550123", KIND.FICTITIOUS, "US"),
        ("+14155550123", KIND.FICTITIOUS, "US"),
        ("+15005550006", KIND.MAGIC, "US"),
        ("+15002345678", KIND.PERSONAL, "US"),
        ("+447700900123", KIND.INVALID, None),
        ("+911126123456", KIND.FIXED_LINE, "IN"),
        ("+19116666666", KIND.EMERGENCY, None),
        ("9116666666", KIND.EMERGENCY, None),
        ("+1911", KIND.EMERGENCY, None),
        ("+1988", KIND.EMERGENCY, None),
        ("+49112", KIND.EMERGENCY, None),
        ("911", KIND.EMERGENCY, "US"),
        ("112", KIND.EMERGENCY, "US"),
        ("999", KIND.EMERGENCY, "US"),
        ("988", KIND.EMERGENCY, "US"),
        ("9-1-1", KIND.EMERGENCY, "US"),
        ("\uff19\uff11\uff11", KIND.EMERGENCY, "US"),
        ("411", KIND.SHORT_CODE, "US"),
        ("32665", KIND.SHORT_CODE, "US"),
        ("call me", KIND.INVALID, None),
        ("", KIND.INVALID, None),
        ("+", KIND.INVALID, None),
    ],
)
def test_each_number_has_its_kind_and_region(number: str, kind: DestinationKind, region: str | None) -> None:
    found = classify(number)
    assert (found.kind, found.region) == (kind, region)


def reason(number: str, policy: DestinationPolicy | None = None) -> str:
    decision = decide(policy or DestinationPolicy(), number)
    return decision.reason_code if isinstance(decision, Refused) else "allowed"


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("+12024561111", "allowed"),
        ("+14165551234", "allowed"),
        ("+18662345678", "allowed"),
        ("+12025550123", "allowed"),
        ("+14155550123", "destination_fictitious"),
        ("+447700900123", "destination_invalid"),
        ("+18765551234", "destination_country"),
        ("+4915112345678", "destination_country"),
        ("+19002345678", "destination_premium"),
        ("+881612345678", "destination_satellite"),
        ("+15005550006", "destination_magic"),
        ("911", "destination_emergency"),
        ("+1988", "destination_emergency"),
        ("32665", "destination_short_code"),
        ("nonsense", "destination_invalid"),
    ],
)
def test_the_default_policy_is_ordinary_lines_in_the_united_states_and_canada(number: str, expected: str) -> None:
    assert reason(number) == expected


def test_an_allow_listed_number_passes_whatever_its_country_or_kind() -> None:
    policy = DestinationPolicy(allow_numbers=frozenset({"+447700900123", "+881612345678", "+4915112345678"}))
    assert {reason(number, policy) for number in policy.allow_numbers} == {"allowed"}


@pytest.mark.parametrize("number", ["911", "+1911", "32665", "+19116666666"])
def test_no_allow_list_admits_emergency_and_short_numbers(number: str) -> None:
    policy = DestinationPolicy(allow_numbers=frozenset({number}), deny_kinds=frozenset())
    assert reason(number, policy) in {"destination_emergency", "destination_short_code"}


def test_magic_numbers_are_for_the_emulators_account() -> None:
    assert reason("+15005550006", DestinationPolicy(admit_magic=True)) == "allowed"


def test_a_country_is_opened_by_its_region_and_not_by_its_code() -> None:
    jamaica = DestinationPolicy(countries=frozenset({"JM"}))
    assert reason("+18765551234", jamaica) == "allowed"
    assert reason("+12024561111", jamaica) == "destination_country"


def test_a_denied_kind_without_a_standard_sentence_still_gets_one() -> None:
    decision = decide(DestinationPolicy(deny_kinds=frozenset({KIND.TOLL_FREE})), "+18662345678")
    assert isinstance(decision, Refused)
    assert decision.sentence


def test_a_decision_takes_parsed_numbers_and_shows_none() -> None:
    decision = decide(DestinationPolicy(), parse_e164("+12025550123"))
    assert isinstance(decision, Allowed)
    assert decision.destination.number == "+12025550123"
    assert "5550123" not in repr(decision)


@given(text=st.text(st.sampled_from("+0123456789 ()-."), max_size=18) | st.text(st.characters(exclude_categories=())))
def test_deciding_never_raises_and_never_repeats_the_number(text: str) -> None:
    decision = decide(DestinationPolicy(), text)
    if isinstance(decision, Refused):
        assert decision.sentence.endswith((".", "digits."))
        assert not any(char.isdigit() for char in decision.sentence)
    else:
        assert decision.destination.region in {"US", "CA"}
