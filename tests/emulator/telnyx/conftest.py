from __future__ import annotations

import aiohttp
import pytest

from fixtures.emulators import RunningEmulator
from fixtures.telnyx import Api


@pytest.fixture
def api(emulator: RunningEmulator, http: aiohttp.ClientSession) -> Api:
    return Api(http, emulator.url)
