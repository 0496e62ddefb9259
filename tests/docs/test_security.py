"""The page on security: each requirement of the standard and each finding has one row, and each named test exists."""

import re
from collections import Counter
from functools import cache

import pytest

from tests.docs.english import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
STATES = ("met", "partly", "not met", "n. a.")
# OWASP ASVS 4.0.3, levels 1 and 2, without what the standard deleted: the numbers within each section.
SECTIONS = {
    "1.1": "1-7",
    "1.2": "1-4",
    "1.4": "1 4-5",
    "1.5": "1-4",
    "1.6": "1-4",
    "1.7": "1-2",
    "1.8": "1-2",
    "1.9": "1-2",
    "1.10": "1",
    "1.11": "1-2",
    "1.12": "2",
    "1.14": "1-6",
    "2.1": "1-12",
    "2.2": "1-3",
    "2.3": "1-3",
    "2.4": "1-6",
    "2.5": "1-7",
    "2.6": "1-3",
    "2.7": "1-6",
    "2.8": "1-7",
    "2.9": "1-3",
    "2.10": "1-4",
    "3.1": "1",
    "3.2": "1-4",
    "3.3": "1-4",
    "3.4": "1-5",
    "3.5": "1-3",
    "3.7": "1",
    "4.1": "1-3 5",
    "4.2": "1-2",
    "4.3": "1-3",
    "5.1": "1-5",
    "5.2": "1-8",
    "5.3": "1-10",
    "5.4": "1-3",
    "5.5": "1-4",
    "6.1": "1-3",
    "6.2": "1-6",
    "6.3": "1-2",
    "6.4": "1-2",
    "7.1": "1-4",
    "7.2": "1-2",
    "7.3": "1 3-4",
    "7.4": "1-3",
    "8.1": "1-4",
    "8.2": "1-3",
    "8.3": "1-8",
    "9.1": "1-3",
    "9.2": "1-4",
    "10.2": "1-2",
    "10.3": "1-3",
    "11.1": "1-8",
    "12.1": "1-3",
    "12.2": "1",
    "12.3": "1-6",
    "12.4": "1-2",
    "12.5": "1-2",
    "12.6": "1",
    "13.1": "1 3-5",
    "13.2": "1-3 5-6",
    "13.3": "1-2",
    "13.4": "1-2",
    "14.1": "1-4",
    "14.2": "1-6",
    "14.3": "2-3",
    "14.4": "1-7",
    "14.5": "1-4",
}
FINDINGS = ["C1", *(f"H{n}" for n in range(1, 6)), *(f"M{n}" for n in range(1, 8)), *(f"L{n}" for n in range(1, 9))]
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("|")]
REQUIREMENTS = [row for row in ROWS if re.fullmatch(r"V\d+\.\d+\.\d+", row[0])]


def numbers() -> list[str]:
    found = []
    for section, parts in SECTIONS.items():
        for part in parts.split():
            first, _, last = part.partition("-")
            found += [f"V{section}.{number}" for number in range(int(first), int(last or first) + 1)]
    return found


@cache
def functions_of(path: str) -> frozenset[str]:
    return frozenset(re.findall(r"^def (test_\w+)\(", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE))


def named_tests(text: str) -> list[tuple[str, str]]:
    return re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text)


def test_every_requirement_has_one_row():
    assert [row[0] for row in REQUIREMENTS] == numbers()


def test_every_finding_of_the_review_has_one_row():
    assert [row[0] for row in ROWS if re.fullmatch(r"[CHML]\d", row[0])] == FINDINGS


@pytest.mark.parametrize("row", REQUIREMENTS, ids=lambda row: row[0])
def test_a_requirement_is_shown_by_a_test_or_has_a_reason(row):
    _number, short, state, reason, shown = row
    assert short
    assert state in STATES
    if state == "met":
        assert named_tests(shown) or shown == "by reading"
    else:
        assert reason


def test_every_test_that_the_page_names_exists():
    missing = [f"{path}::{name}" for path, name in named_tests(PAGE) if not (ROOT / path).exists()]
    missing = missing or [f"{path}::{name}" for path, name in named_tests(PAGE) if name not in functions_of(path)]
    assert not missing
    assert len(named_tests(PAGE)) == PAGE.count("::")


def test_the_page_counts_its_rows_as_they_are():
    counts = Counter(row[2] for row in REQUIREMENTS)
    sentence = f"{counts['met']} met, {counts['partly']} partly, {counts['not met']} not met, {counts['n. a.']} not"
    assert sentence in " ".join(PAGE.split())
