"""A pytest plugin for the CI machine (`-p plugins.no_skips`): whatever was skipped there is a failure.

A laptop may lack a LiveKit server or a second processor, and a skip with a reason is honest there. CI
installs all of it, so a skip would be a hole that nobody sees. An expected failure (`xfail`) is no skip.
"""

from __future__ import annotations

import pytest

skipped: list[str] = []


def _note(report: pytest.TestReport | pytest.CollectReport) -> None:
    if not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    skipped.append(f"{report.nodeid}: {reason}")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    _note(report)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    _note(report)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if skipped and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not skipped:
        return
    terminalreporter.section("skipped, which counts as failed here", red=True)
    for line in sorted(set(skipped)):
        terminalreporter.write_line(line)
