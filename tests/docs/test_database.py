from __future__ import annotations

import re

from fixtures.documents import code_spans, document, rows, section
from offhook.core.db.migrate import migrations
from offhook.core.db.pool import APP_ROLE, OWNER_ROLE, SYSTEM_ROLE

PAGE = document("reference/database.md")


def test_every_table_is_told_and_no_other() -> None:
    made = {name for one in migrations() for name in re.findall(r"^create table (\w+)", one.sql, re.MULTILINE)}
    assert {code_spans(row[0])[0] for row in rows(section(PAGE, "## Tables"))} == made


def test_every_role_is_told() -> None:
    told = [code_spans(row[0])[0] for row in rows(section(PAGE, "## Roles"))]
    assert told == [OWNER_ROLE, APP_ROLE, SYSTEM_ROLE]
