"""Fixtures of the whole suite live in tests/fixtures, one module per noun."""

import signal

pytest_plugins = ["fixtures.postgres", "fixtures.database", "fixtures.api", "fixtures.calls", "fixtures.deployment"]

# A shell that starts the suite in the background has SIGINT ignored, and processes of tests would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
