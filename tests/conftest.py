"""Fixtures of the whole suite live in tests/fixtures, one module per noun."""

pytest_plugins = ["fixtures.postgres", "fixtures.database", "fixtures.api", "fixtures.calls", "fixtures.deployment"]
