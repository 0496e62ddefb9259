"""Plain English: habits that the project avoids stay out of comments, messages, pages and documents."""

import subprocess
from pathlib import Path

import pytest

from tests.docs.english import EXCEPTIONS, HABITS, ROOT, find_habits, prose

SUFFIXES = ("*.py", "*.js", "*.css", "*.md", "*.html")


def _files() -> list[Path]:
    """Return the tracked files with prose of ours: no migrations, no vendored scripts, no German."""
    command = ["git", "ls-files", "-co", "--exclude-standard", *SUFFIXES]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    left_out = (
        "static/vendor/",
        "tests/test_german.py",
        "tests/docs/english.py",
        "tests/docs/test_english.py",
        "docs/glossary.md",
    )
    paths = [ROOT / name for name in names if "/migrations/" not in name and not name.startswith(left_out)]
    return [path for path in paths if path.exists()]


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("code.py", '"""Return a name."""\n\nx = 1  # None where they differ\n', 3),
        ("code.py", 'def f() -> str:\n    """Return it.\n\n    The page is told so.\n    """\n', 4),
        ("code.py", 'raise ValueError(f"{name} is no number.")\n', 1),
        ("code.py", "def test_the_twin_of_an_image():\n    pass\n", 1),
        ("code.js", "const a = 1;\n/**\n * A sitting of the reader.\n */\n", 3),
        ("code.js", 'show("150 women were drawn");\n', 1),
        ("style.css", "a { top: 0 }\n/* Whoever prints this. */\n", 2),
        ("page.html", "<p>\n{% translate 'x' %}\nThe hardened network\n</p>", 3),
        ("page.html", '<p title="The wire">{{ value }}</p>', 1),
        ("page.html", '<p>\n{% translate "The judge’s score" %}</p>', 2),
        ("text.md", "# Title\n\nJobs run side by side.\n", 3),
    ],
)
def test_finds_a_planted_habit(tmp_path, name, text, line):
    (tmp_path / name).write_text(text, encoding="utf-8")
    (message,) = find_habits(tmp_path / name, tmp_path)
    assert message.startswith(f"{name}:{line}: ")
    assert "write: " in message


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("code.py", 'twin = {"twins": judge}  # the column `twin`\n'),
        ("code.py", 'message = f"a {twin.wire} image"\n'),
        ("code.js", 'import { wire } from "./wire.js";\n'),
        ("page.html", '<p class="wire">{{ twin.film }}</p>{% url "twin" film.pk %}'),
        ("text.md", "Text with `--harden 4/255`:\n\n    ./manage.py train --harden 4/255\n"),
        ("text.md", "There is no file. Real and adversarial image stand in rows, side by side. A digitised film.\n"),
    ],
)
def test_names_and_code_are_not_prose(tmp_path, name, text):
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert find_habits(tmp_path / name, tmp_path) == []


def test_each_habit_has_a_replacement_and_a_reason():
    assert all(habit.instead and habit.reason for habit in HABITS)


def test_exceptions_are_still_needed():
    unused = []
    for name, phrases in EXCEPTIONS.items():
        lines = " ".join(line for _number, line in prose(ROOT / name)).lower()
        unused += [f"{name}: {phrase}" for phrase in phrases if phrase not in lines]
    assert not unused


def test_no_file_has_a_banned_habit():
    found = [message for path in _files() for message in find_habits(path, ROOT)]
    assert not found, "\n".join(["Plain English, please:", *found])
