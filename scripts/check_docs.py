"""Checks the Markdown documents below a directory (default: the current one): every relative link leads to
a file that exists, and every `#anchor` to a heading of it. Addresses on the web are not fetched. Each dead
link is named, and the exit status is 1.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from urllib.parse import unquote

NOT_OURS = {"node_modules", "dist", "vendor"}

FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)|^\[[^\]]+\]:\s+(\S+)", re.MULTILINE)
HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$", re.MULTILINE)
EXPLICIT_ANCHOR = re.compile(r"<a\s+(?:id|name)=\"([^\"]+)\"")
ELSEWHERE = re.compile(r"^[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def documents(root: Path) -> list[Path]:
    """The Markdown files below `root`, outside hidden folders and what a build left behind."""
    found: list[Path] = []
    for folder, names, files in os.walk(root):
        names[:] = [name for name in names if not name.startswith(".") and name not in NOT_OURS]
        found += [Path(folder, file) for file in files if file.endswith(".md")]
    return sorted(found)


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


def problem_with(target: str, document: Path, root: Path) -> str:
    """What is wrong with a link's target; "" if nothing is, or if it is an address on the web."""
    if ELSEWHERE.match(target):
        return ""
    place, _, anchor = target.partition("#")
    path = (document.parent / unquote(place)).resolve() if place else document
    if not path.is_relative_to(root):
        return "leads out of the repository"
    if not path.exists():
        return "no such file"
    if anchor and path.suffix == ".md" and anchor not in anchors(path.read_text(encoding="utf-8")):
        return "no such heading"
    return ""


def dead_links(document: Path, root: Path) -> list[str]:
    prose = CODE.sub("", FENCE.sub("", document.read_text(encoding="utf-8")))
    targets = [match.group(1) or match.group(2) for match in LINK.finditer(prose)]
    found = [(target, problem_with(target, document, root)) for target in targets]
    return [f"{document.relative_to(root)}: {target}: {problem}" for target, problem in found if problem]


def main(root: Path) -> int:
    checked = documents(root)
    problems = [problem for document in checked for problem in dead_links(document, root)]
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{len(checked)} documents checked, {len(problems)} dead links")
    return 1 if problems or not checked else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()))
