#!/usr/bin/env python3
"""Checks the words of every tracked text file: people are "they", one word per thing (docs/glossary.md), and citations lead
to something in this repository. Prints file:line of each offence and fails if there is one."""

import re
import subprocess
import sys
from pathlib import Path

# Not ours to word: licences, earlier steps of the schema (their text is part of their checksum), lists that tools make, texts in other languages, and the script of the specification.
EXEMPT = re.compile(
    r"LICENSE|/migrations/|Cargo\.lock$|package-lock\.json$|^temp/|^docs/glossary\.md$|^scripts/lint-words\.py$|/i18n/(ru|fa)\.json$|\.ru\.md$"
)
# Where things are meant under the names that they had: earlier versions and their databases.
OLD_NAMES = re.compile(r"^CHANGELOG\.md$|store/copy\.rs$|it/nodes\.rs$")

PERSON = re.compile(r"(?<![a-zA-Z])(he|his|him|himself)(?![a-zA-Z])", re.IGNORECASE)
OFFENDERS = {
    "deed": "action",
    "stranger": "visitor, or other people",
    "tombstone": "session cut",
    "departed": "session cut",
    "seldom": "throttled log",
}
OFFENDER = re.compile(rf"(?<![a-zA-Z])({'|'.join(OFFENDERS)})s?(?![a-zA-Z])", re.IGNORECASE)
ABSENT = re.compile(r"\b(design section|design\.md|specification section|spec section|contract, (?:trap|\"|section))", re.IGNORECASE)
TRAP = re.compile(r"\btraps? (\d+)(?: and (\d+))?")
DOCUMENT = re.compile(r"\bdocs/[\w./-]+\.md\b")
# A source file in backquotes, by its path or by the end of it.
SOURCE = re.compile(r"`(?:core/)?([\w./-]+\.(?:rs|tsx?|mjs|py|sh|sql))`")
ADR = re.compile(r"\bADRs? (\d{4})\b")
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)\s#]*)(?:#([^)\s]+))?\)")
HEADING = re.compile(r"^#+ +(.*?) *$", re.MULTILINE)


def anchors(path):
    """Anchors of a Markdown file's headings, as GitHub makes them."""
    found = set()
    for heading in HEADING.findall(path.read_text()):
        text = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        found.add(re.sub(r"[^\w\- ]", "", text).replace(" ", "-"))
    return found


class Check:
    def __init__(self, tracked):
        self.offences = 0
        # Each path and all of its ends: a/b/c, b/c, c.
        self.sources = {path.split("/", start)[-1] for path in tracked for start in range(path.count("/") + 1)}
        self.traps = {int(number) for number in re.findall(r"^(\d+)\. ", Path("docs/contract-telemt.md").read_text(), re.MULTILINE)}
        self.decisions = {path.name[:4] for path in Path("docs/adr").glob("[0-9]*.md")}

    def tell(self, path, line, why):
        self.offences += 1
        print(f"{path}:{line}: {why}")

    def line(self, path, number, text):
        if match := PERSON.search(text):
            self.tell(path, number, f"'{match[0]}': people are 'they'")
        if not OLD_NAMES.search(path) and (match := OFFENDER.search(text)):
            self.tell(path, number, f"'{match[0]}': say '{OFFENDERS[match[1].lower()]}' (docs/glossary.md)")
        if match := ABSENT.search(text):
            self.tell(path, number, f"'{match[0]}' is not in this repository")
        for match in TRAP.finditer(text):
            if unknown := {int(trap) for trap in match.groups() if trap} - self.traps:
                self.tell(path, number, f"docs/contract-telemt.md has no trap {unknown.pop()}")
        for document in DOCUMENT.findall(text):
            if not Path(document).exists():
                self.tell(path, number, f"there is no {document}")
        for source in SOURCE.findall(text):
            if source not in self.sources:
                self.tell(path, number, f"there is no {source}")
        for decision in set(ADR.findall(text)) - self.decisions:
            self.tell(path, number, f"there is no ADR {decision}")

    def links(self, path, text):
        for match in LINK.finditer(text):
            target, anchor = match.groups()
            there = Path(path).parent / target if target else Path(path)
            number = text.count("\n", 0, match.start()) + 1
            if not there.exists():
                self.tell(path, number, f"{target} does not exist")
            elif anchor and there.suffix == ".md" and anchor not in anchors(there):
                self.tell(path, number, f"{there} has no heading #{anchor}")


def main():
    tracked = subprocess.run(["git", "ls-files"], capture_output=True, check=True, text=True).stdout.splitlines()
    check = Check(tracked)
    for path in tracked:
        if not Path(path).is_file():
            continue
        try:
            text = Path(path).read_text()
        except UnicodeDecodeError:
            continue
        if path.endswith(".md"):
            check.links(path, text)
        if EXEMPT.search(path):
            continue
        for number, line in enumerate(text.splitlines(), 1):
            check.line(path, number, line)
    if check.offences:
        print(f"{check.offences} offences", file=sys.stderr)
    return check.offences > 0


sys.exit(main())
