"""Who may use the LiveKit endpoints: the deployment's plain tokens, which act for one organization, or an API key."""

from __future__ import annotations

import hmac
import uuid
from dataclasses import dataclass, field

from starlette.requests import Request

from offhook.core.errors import ConfigurationError
from offhook.organizations.auth import Scope, authenticate


@dataclass(frozen=True, slots=True)
class PlainTokens:
    """AGENT_SMS_SECRET and LIVEKIT_AGENT_CONFIG_TOKEN. They act for OFFHOOK_DEFAULT_ORGANIZATION and nobody else."""

    organization: str | None
    sms: str | None = field(default=None, repr=False)
    agent_config: str | None = field(default=None, repr=False)

    def organization_id(self) -> uuid.UUID:
        try:
            return uuid.UUID(self.organization or "")
        except ValueError:
            raise ConfigurationError(
                "OFFHOOK_DEFAULT_ORGANIZATION is not set to an organization's id: the plain tokens act for that one"
            ) from None

    async def organization_of(self, request: Request, token: str | None, scope: Scope) -> uuid.UUID:
        """The organization that the request acts for. `token`: the plain token that opens this endpoint.

        Raises Unauthenticated, Forbidden, ConfigurationError.
        """
        given = bearer(request)
        if token and given and hmac.compare_digest(given.encode(), token.encode()):
            return self.organization_id()
        return (await authenticate(request, scope)).of_organization().organization_id


def bearer(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None
