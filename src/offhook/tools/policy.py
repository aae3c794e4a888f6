"""What holds for every call of a function, whatever its type: one policy, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal

Repeatable = Literal["yes", "with_key", "no"]
RunsIn = Literal["gateway", "session"]

SAME_CALL_WINDOW_SECONDS = 60
"""product.md 6: a repeat within the same user turn or this time gets the stored answer."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A tool type's policy, with the changes that an operator made in the form's `limits`."""

    timeout_seconds: float = 10.0
    """From the request's arrival to the answer."""
    repeatable: Repeatable = "no"
    """`yes`: a look-up, always runs. `with_key`: the receiver honours an idempotency key. `no`: once."""
    runs_in: RunsIn = "gateway"
    resumable: bool = False
    """Every effect goes through a port with an operation id, so a call that was cut off may be walked again."""
    max_calls_per_conversation: int | None = None
    max_model_given_recipients: int = 1
    """Different destinations per conversation that only the model vouches for (product.md 2)."""

    def changed_by(self, limits: Mapping[str, Any]) -> Policy:
        """With what the form's `limits` change; absent and None change nothing."""
        return replace(self, **{name: value for name, value in limits.items() if value is not None})

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Policy:
        """From a release, which an Offhook of another version may have frozen: what this one does not know is left."""
        return cls(**{item.name: stored[item.name] for item in fields(cls) if item.name in stored})
