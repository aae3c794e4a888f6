from __future__ import annotations

from pathlib import Path

from fixtures.command_line import CommandLine


async def test_the_document_is_printed_without_a_database(offhook: CommandLine) -> None:
    outcome = await offhook("openapi")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.json["openapi"].startswith("3.1")
    assert "/api/tools" in outcome.json["paths"]


async def test_drift_is_an_error_until_the_document_is_written(offhook: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "reference" / "openapi.json"
    missing = await offhook("openapi", "--check", "--file", str(file))
    assert missing.code == 1
    assert "offhook openapi --write" in missing.err
    assert (await offhook("openapi", "--write", "--file", str(file))).code == 0
    assert (await offhook("openapi", "--check", "--file", str(file))).code == 0
    file.write_text(file.read_text().replace("/api/tools", "/api/hammers"))
    drifted = await offhook("openapi", "--check", "--file", str(file))
    assert drifted.code == 1
    assert "[openapi_drift]" in drifted.err


async def test_checking_and_writing_exclude_each_other(offhook: CommandLine) -> None:
    assert (await offhook("openapi", "--check", "--write")).code == 2
