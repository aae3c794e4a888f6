"""The carriers that the contract suite is run for. Adding one is adding its folder and its line here."""

from __future__ import annotations

import pytest

from telephony.carriers.telnyx.face import FACE as TELNYX
from telephony.carriers.twilio.face import FACE as TWILIO

FACES = (TWILIO, TELNYX)

every_face = pytest.mark.parametrize("face", FACES, ids=lambda face: face.name)
"""Run a test for each of them; it takes `face`."""
