"""Secrets at rest: the key ring of the deployment, and values sealed for their place."""

from offhook.secrets.envelope import Sealer
from offhook.secrets.keyring import KeyRing, load_or_create

__all__ = ["KeyRing", "Sealer", "load_or_create"]
