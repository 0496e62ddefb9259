"""Each skipped test and each silenced check has its reason on its line or in a comment above."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SILENCER = re.compile(
    r"# noqa|# type: ignore|# pragma: no|eslint-disable|@ts-(?:ignore|expect-error|nocheck)"
    r"|pytest\.(?:skip|importorskip)\(|mark\.(?:skip|skipif|xfail)\b"
)
# What remains of the line: code and comment without the silencer's own arguments.
REASON = re.compile(r"""reason=|skip\(f?["'][^"']{8}|# noqa: [\w, ]+\(\w+ |@ts-ignore: \w+ """)


def lines_without_reason(text: str) -> list[int]:
    lines = text.splitlines()
    missing = []
    for number, line in enumerate(lines, 1):
        above = lines[number - 2].strip() if number > 1 else ""
        if SILENCER.search(line) and not REASON.search(line) and not above.startswith(("#", "//", "*")):
            missing.append(number)
    return missing


@pytest.mark.parametrize(
    ("line", "has_reason"),
    [
        ("import a  # noqa: F401", False),
        ("import a  # noqa: F401 (imported for its effect)", True),
        ("x = y()  # type: ignore[arg-type]", False),
        ("# The stubs lack this form.\nx = y()  # type: ignore[arg-type]", True),
        ("@pytest.mark.skipif(not FILE.exists())", False),
        ('@pytest.mark.skipif(not FILE.exists(), reason="the file is not here")', True),
        ("pytest.skip()", False),
        ('pytest.skip("Chromium is not here")', True),
        ("// @ts-ignore", False),
        ("// @ts-ignore: not in every browser", True),
    ],
)
def test_recognises_a_reason(line, has_reason):
    assert (lines_without_reason(line) == []) is has_reason


def test_each_silencer_in_the_repository_has_a_reason():
    command = ["git", "ls-files", "*.py", "*.js"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    files = [name for name in names if "/vendor/" not in name and name != "tests/test_silencers.py"]
    result = [
        f"{name}:{number}"
        for name in files
        if (ROOT / name).exists()
        for number in lines_without_reason((ROOT / name).read_text(encoding="utf-8"))
    ]
    assert not result
