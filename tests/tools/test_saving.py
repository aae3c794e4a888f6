"""What an operator posts: every mistake is named by its field, and nothing half right is stored."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from fixtures.tool_calls import AI_TEXT, PARTNER, sms_form
from offhook.core.declarations import Declaration, Declarations
from offhook.core.errors import FieldProblem, InvalidInput
from offhook.core.variables import Provenance
from offhook.testing import FakeConsent, FakeNumbers, fake_ports
from offhook.tools.ports import SUPPRESSED_CODE, DestinationVerdict, OwnNumber
from offhook.tools.saving import prepare, preview

DECLARED = Declarations(
    [
        Declaration("appointment_time", "When", "Friday at ten", Provenance.ORGANIZATION),
        Declaration("partner_number", "From the CRM", "+12025550141", Provenance.TOOL_RESULT),
    ]
)


async def _save(form: dict[str, Any], numbers: FakeNumbers | None = None, **given: Any) -> Any:
    organization_id = given.pop("organization_id", uuid.uuid4())
    return await prepare(
        "Send link",
        form,
        DECLARED,
        fake_ports(numbers=numbers),
        organization_id=organization_id,
    )


async def _problems(form: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(InvalidInput) as caught:
        await _save(form)
    return {item.path: item.message for item in caught.value.fields}


async def test_label_and_description_of_the_tool_replace_the_forms() -> None:
    stored = await _save(sms_form(label="Link", description="Texts it."))
    assert (stored.config_metadata["label"], stored.config_metadata["description"]) == ("Link", "Texts it.")
    assert stored.function_schema["description"] == "Texts it."


async def test_an_undeclared_variable_names_its_field_and_the_nearest_name() -> None:
    problems = await _problems(
        sms_form(text={"mode": "fixed", "value": "At {{apointment_time}}"}, description="For {{caller_phone}}")
    )
    assert "{{appointment_time}}" in problems["text.value"]
    assert "{{caller_phone_number}}" in problems["description"]


async def test_variables_in_prompts_and_entries_are_checked_too() -> None:
    problems = await _problems(
        sms_form(
            text={"mode": "ai", "prompt": "Say {{zzz}}"},
            recipients={
                "mode": "array_extendable",
                "values": ["{{yyy}}", {"mode": "fixed", "value": "{{xxx}}"}, {"mode": "ai", "prompt": "{{www}}"}],
                "ai_can_add": True,
                "prompt": "{{ broken",
            },
        )
    )
    assert set(problems) == {
        "text.prompt",
        "recipients.values.0",
        "recipients.values.1.value",
        "recipients.values.2.prompt",
        "recipients.prompt",
    }


async def test_a_destination_from_a_tools_result_is_refused_unless_accepted() -> None:
    value = {"mode": "fixed", "value": ["{{partner_number}}"]}
    assert "minimum_provenance" in (await _problems(sms_form(recipients=value)))["recipients.value"]
    stored = await _save(sms_form(recipients={**value, "minimum_provenance": "tool_result"}))
    assert stored.static_config["$minimum"] == {"recipients": "tool_result"}


@pytest.mark.parametrize(
    ("recipients", "path"),
    [
        ({"mode": "fixed", "value": ["{{caller_phone_number}}", "+44 20 7946 0018"]}, "recipients.value.1"),
        ({"mode": "array_extendable", "values": ["+44 20 7946 0018"]}, "recipients.values.0"),
        (
            {"mode": "array_extendable", "values": [{"mode": "fixed", "value": "+442079460018"}]},
            "recipients.values.0.value",
        ),
    ],
)
async def test_a_fixed_recipient_that_the_policy_refuses_is_named(recipients: dict[str, Any], path: str) -> None:
    refused = DestinationVerdict(False, "destination_country", "Numbers in that country are not texted from here.")
    ports = fake_ports(consent=FakeConsent({"+442079460018": refused}))
    with pytest.raises(InvalidInput) as caught:
        await prepare("Send link", sms_form(recipients=recipients), DECLARED, ports, organization_id=uuid.uuid4())
    assert caught.value.fields == (FieldProblem(path, refused.sentence, refused.code),)


async def test_a_fixed_recipient_that_opted_out_may_be_saved() -> None:
    opted_out = FakeConsent({PARTNER: DestinationVerdict(False, SUPPRESSED_CODE, "The recipient has opted out.")})
    form = sms_form(recipients={"mode": "fixed", "value": [PARTNER]})
    stored = await prepare("Send", form, DECLARED, fake_ports(consent=opted_out), organization_id=uuid.uuid4())
    assert stored.config_metadata["recipients"] == form["recipients"]


async def test_a_specific_number_must_be_the_organizations() -> None:
    organization_id, number = uuid.uuid4(), OwnNumber(uuid.uuid4(), "+12025550100")
    form = sms_form(**{"from": {"type": "specific_number", "phone_number_id": str(number.phone_number_id)}})
    assert "from.phone_number_id" in await _problems(form)
    stored = await _save(form, FakeNumbers({organization_id: [number]}), organization_id=organization_id)
    assert stored.static_config["from"]["phone_number_id"] == str(number.phone_number_id)


@pytest.mark.parametrize(
    ("form", "path"),
    [
        ({}, "type"),
        ({"type": "fax"}, "type"),
        ({"type": ["sms"]}, "type"),
        ({"type": "sms"}, "from"),
        (sms_form(**{"from": {"type": "specific_number"}}), "from.phone_number_id"),
        (sms_form(**{"from": {"type": "any"}}), "from"),
        (sms_form(text={"mode": "fixed"}), "text.value"),
        (sms_form(text={"mode": "guess"}), "text"),
        (sms_form(text={"mode": "array_extendable", "values": ["x"]}), "text"),
        (sms_form(text={"mode": "ai"}), "text.prompt"),
        (sms_form(text={"mode": "ai", "prompt": "p", "value": "x"}), "text.value"),
        (sms_form(text={"mode": "ai", "prompt": "x" * 2001}), "text.prompt"),
        (sms_form(colour="red"), "colour"),
        (sms_form(label="x" * 101), "label"),
        (sms_form(description="x" * 4001), "description"),
        (sms_form(function_name="9lives"), "function_name"),
        (sms_form(function_name="x" * 65), "function_name"),
        (sms_form(limits={"timeout_seconds": 0}), "limits.timeout_seconds"),
        (sms_form(description="nul \x00"), "description"),
        (sms_form(text={"mode": "fixed", "value": "half \ud800"}), "text.value"),
        (sms_form(recipients={"mode": "fixed", "value": ["\ud800"]}), "recipients.value.0"),
        (sms_form(text={"mode": "fixed", "value": "x" * 100_000}), ""),
        (sms_form(recipients={"mode": "fixed", "value": ["call me"]}), "recipients.value.0"),
        (sms_form(recipients={"mode": "fixed", "value": ["202 555 0140"]}), "recipients.value.0"),
        (sms_form(recipients={"mode": "array_extendable", "values": ["x"]}), "recipients.values.0"),
        (sms_form(text={"mode": "fixed", "value": "{{agent_name}}" + "x" * 1601}), "text.value"),
    ],
)
async def test_a_mistake_is_named_by_its_path_in_the_form(form: dict[str, Any], path: str) -> None:
    assert path in await _problems(form)


async def test_a_form_nested_without_end_is_refused() -> None:
    deep: Any = {}
    for _ in range(5000):
        deep = {"a": deep}
    assert "" in await _problems(sms_form(text=deep))


def test_the_preview_counts_segments_of_fixed_text() -> None:
    _, insight = preview(sms_form(text={"mode": "fixed", "value": "x" * 161}), "Send", DECLARED)
    assert (insight["encoding"], insight["segments"], insight["min_segments"], insight["max_segments"]) == (
        "GSM-7",
        2,
        2,
        2,
    )


def test_the_preview_of_text_with_variables_gives_a_range() -> None:
    text = {"mode": "fixed", "value": 'See you {{appointment_time}} {{now | date: "Europe/Berlin"}} — bye'}
    _, insight = preview(sms_form(text=text), "Send", DECLARED)
    assert (insight["encoding"], insight["min_segments"], insight["max_segments"]) == ("UCS-2", 1, 24)
    assert insight["forced_by"] == ["—"]


def test_the_preview_warns_where_the_model_chooses() -> None:
    recipients = {"mode": "ai", "prompt": "Whom"}
    _, insight = preview(sms_form(text=AI_TEXT, recipients=recipients), "Send", DECLARED)
    assert (insight["min_segments"], insight["max_segments"]) == (1, 24)
    assert "any number" in insight["notes"][0]
