"""The languages in which opting out is understood: one module each, found by looking. It declares `LANGUAGE`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from functools import cache
from typing import cast

from offhook.telephony.consent.language import Language


@cache
def languages() -> Sequence[Language]:
    """All of them: nobody asks people which one they are about to use."""
    names = [module.name for module in pkgutil.iter_modules(__path__)]
    return tuple(cast(Language, importlib.import_module(f"{__name__}.{name}").LANGUAGE) for name in names)
