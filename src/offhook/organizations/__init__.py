"""Organizations, their people and keys; who is asking, and what they may do."""

from offhook.organizations.auth import (
    AdminCaller,
    AuthenticatedRoute,
    Authenticator,
    Caller,
    ReadCaller,
    Scope,
    TenantCaller,
    authenticate,
)
from offhook.organizations.models import ApiKey, Organization
from offhook.organizations.service import OrganizationService

__all__ = [
    "AdminCaller",
    "ApiKey",
    "AuthenticatedRoute",
    "Authenticator",
    "Caller",
    "Organization",
    "OrganizationService",
    "ReadCaller",
    "Scope",
    "TenantCaller",
    "authenticate",
]
