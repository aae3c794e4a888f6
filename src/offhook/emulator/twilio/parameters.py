"""Parameters of a message that this emulator does not carry out, so that it can say so."""

from __future__ import annotations

from offhook.emulator.twilio.submission import Form

READ = frozenset(
    {
        *("To", "From", "MessagingServiceSid", "Body", "MediaUrl", "StatusCallback", "ValidityPeriod"),
        *("SmartEncoded", "SendAsMms", "ScheduleType", "SendAt", "ContentSid"),
    }
)
WITHOUT_EFFECT = frozenset({"MaxPrice", "Attempt", "RiskCheck", "TrafficType", "ForceDelivery"})
"""What changes nothing that a test could see: obsolete, or about Twilio's own judgement (facts/telephony.md 1.1)."""
DEFAULTS = frozenset(
    {
        *(("ShortenUrls", "false"), ("ProvideFeedback", "false")),
        *(("AddressRetention", "retain"), ("ContentRetention", "retain")),
    }
)
"""Values that ask for nothing."""

NAMES_MAX, NAME_MAX_CHARACTERS = 20, 60


def ignored_parameters(form: Form) -> list[str]:
    """The names of what was asked for in vain, misspelt ones among them."""
    names = [
        name
        for name, values in form.items()
        if name not in READ | WITHOUT_EFFECT and (name, values[0].lower()) not in DEFAULTS and any(values)
    ]
    return [name[:NAME_MAX_CHARACTERS] for name in names[:NAMES_MAX]]
