"""Checks the Markdown documents of the repository: every relative link leads to a file that exists, and
every `#anchor` to a heading of it. Addresses on the web are not fetched. Exit status 1 names each dead link.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).resolve().parent.parent

FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)|^\[[^\]]+\]:\s+(\S+)", re.MULTILINE)
HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$", re.MULTILINE)
EXPLICIT_ANCHOR = re.compile(r"<a\s+(?:id|name)=\"([^\"]+)\"")
ELSEWHERE = re.compile(r"^[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def documents() -> list[Path]:
    """Markdown files that git tracks or would track."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "*.md"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    paths = [ROOT / name for name in listed.split("\0") if name]
    return sorted(path for path in paths if path.exists())


def slug(heading: str) -> str:
    """The anchor that code hosts derive from a heading: lower case, punctuation dropped, spaces to dashes."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def anchors(text: str) -> set[str]:
    """All anchors of a document; a repeated heading gets -1, -2, …"""
    found: set[str] = set(EXPLICIT_ANCHOR.findall(text))
    seen: dict[str, int] = {}
    for heading in HEADING.findall(FENCE.sub("", text)):
        name = slug(heading)
        count = seen.get(name, 0)
        seen[name] = count + 1
        found.add(f"{name}-{count}" if count else name)
    return found


def dead_links(document: Path) -> list[str]:
    text = document.read_text(encoding="utf-8")
    problems: list[str] = []
    for match in LINK.finditer(CODE.sub("", FENCE.sub("", text))):
        target = match.group(1) or match.group(2)
        if ELSEWHERE.match(target):
            continue
        path_part, _, anchor = target.partition("#")
        path = document if not path_part else (document.parent / unquote(path_part)).resolve()
        if not path.exists():
            problems.append(f"{document.relative_to(ROOT)}: {target}: no such file")
        elif not path.is_relative_to(ROOT):
            problems.append(f"{document.relative_to(ROOT)}: {target}: leads out of the repository")
        elif anchor and path.suffix == ".md" and anchor not in anchors(path.read_text(encoding="utf-8")):
            problems.append(f"{document.relative_to(ROOT)}: {target}: no such heading")
    return problems


def main() -> int:
    checked = documents()
    problems = [problem for document in checked for problem in dead_links(document)]
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{len(checked)} documents checked, {len(problems)} dead links")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
