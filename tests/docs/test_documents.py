"""Documents: complete, current, with working links and readable lines."""

import re
import shlex
from collections import Counter
from dataclasses import fields
from pathlib import Path

import pytest
from django.core.management import CommandError, get_commands, load_command_class

from readerstudy.modalities import MODALITIES
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.protocol.reporting import ENTRIES, Reporting
from readerstudy.protocol.rules import SessionRules, VerdictLabels
from readerstudy.protocol.sizing import Sizing
from readerstudy.sources.label_table import columns_of
from tools import reference

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    ROOT / "SECURITY.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
LONGEST_LINE = 100
OTHER_OPTIONS = ("--profile",)  # of docker compose
FOLDERS = ("readerstudy", "models_ml", "attacks", "tests", "tools", "static", "templates")
SOURCES = [str(file.relative_to(ROOT)) for folder in FOLDERS for file in (ROOT / folder).rglob("*.*")]


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _cells(text: str, first: str) -> list[str]:
    """Return the cells of the table row whose first cell names `first`, alone or among others."""
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and re.search(rf"`{re.escape(first)}`", cells[0]):
            return cells
    raise AssertionError(f"no table row for {first}")


@pytest.mark.parametrize("name", reference.GENERATED)
def test_the_generated_reference_agrees_with_the_code(name):
    assert reference.update(name, write=False), f"docs/reference/{name} is out of date: run make reference"


def test_no_line_of_the_changelog_stands_twice():
    """Merges that keep the lines of both sides double those that one side moved."""
    lines = [line for line in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").splitlines() if len(line) > 40]
    assert [line for line, count in Counter(lines).items() if count > 1] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=_name)
def test_lines_end_at_100_characters(path):
    """Table rows, indented code and single words (addresses) may be longer."""
    long = [
        f"{number}: {line[:60]}"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if len(line) > LONGEST_LINE and not line.startswith(("|", "    ", "<!--")) and " " in line.strip()
    ]
    assert not long


@pytest.mark.parametrize("path", DOCUMENTS, ids=_name)
def test_links_between_documents_resolve(path):
    text = path.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
    missing = [target for target in targets if "://" not in target and not (path.parent / target).exists()]
    assert not missing


@pytest.mark.parametrize("path", DOCUMENTS, ids=_name)
def test_documents_name_source_files_that_exist(path):
    """`models_ml/presets.py` or, if that is unique enough, `presets.py`."""
    names = re.findall(r"`([\w./-]+\.(?:py|js|css|html))`", path.read_text(encoding="utf-8"))
    missing = [name for name in names if not any(f"/{file}".endswith(f"/{name}") for file in SOURCES)]
    assert not missing


@pytest.mark.parametrize("path", DOCUMENTS, ids=_name)
def test_commands_in_documents_have_these_options(path):
    """Each command line is parsed by the command that it names; nothing is run."""
    for line in _command_lines(path.read_text(encoding="utf-8")):
        name, *arguments = shlex.split(line, comments=True)
        parser = load_command_class(get_commands()[name], name).create_parser("manage.py", name)
        try:
            parser.parse_args(arguments)
        except (CommandError, SystemExit) as error:
            pytest.fail(f"{path.name}: {line}: {error}")


@pytest.mark.parametrize("path", [path for path in DOCUMENTS if path.name != "CHANGELOG.md"], ids=_name)
def test_options_in_the_text_of_documents_exist(path):
    """`create_study --plan` is an option of that command, `--plan` one of any command."""
    options = {name: _options(name) for name, app in get_commands().items() if app.startswith("readerstudy.")}
    every = frozenset[str]().union(*options.values(), OTHER_OPTIONS)
    lines = path.read_text(encoding="utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.startswith("    "))
    for span in re.findall(r"`([^`]+)`", text):
        command = next((word for word in span.split() if word in options), "")
        unknown = set(re.findall(r"--[a-z][\w-]*", span)) - options.get(command, every)
        assert not unknown or not (command or span.startswith("--")), span


def _options(name: str) -> frozenset[str]:
    parser = load_command_class(get_commands()[name], name).create_parser("manage.py", name)
    return frozenset(parser._option_string_actions)


def _command_lines(text: str) -> list[str]:
    """Return the command lines of indented code, from the command's name on."""
    code = "\n".join(line for line in text.splitlines() if line.startswith("    "))
    return re.findall(r"manage\.py (\w+.*)", code.replace("\\\n", " "))


def test_every_document_is_linked_from_the_index():
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    documents = [path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.md")]
    unlinked = [str(path) for path in documents if path.parts[0] != "decisions" and f"({path})" not in index]
    assert unlinked == ["index.md"]


@pytest.mark.parametrize("rules", [SessionRules, AnalysisPlan, Sizing], ids=lambda rules: rules.__name__)
def test_the_plan_file_documents_every_rule_with_its_default(rules):
    text = (ROOT / "docs" / "reference" / "plan-file.md").read_text(encoding="utf-8")
    before, heading, after = text.partition("### The size of the study")
    text = heading + after if rules is Sizing else before
    default = rules()
    for field in fields(rules):
        cells = _cells(text, field.name)
        value = getattr(default, field.name)
        if isinstance(
            value, tuple | VerdictLabels | Sizing | Reporting
        ):  # texts, questions, families and tables are in words
            continue
        names = re.findall(r"`(\w+)`", cells[0])
        documented = [part.strip() for part in cells[-1].split(",")][names.index(field.name)]
        assert documented == str(value).lower(), field.name


def test_the_plan_file_documents_every_entry_for_the_checklists():
    text = (ROOT / "docs" / "reference" / "plan-file.md").read_text(encoding="utf-8")
    part = text.partition("### For the reporting checklists")[2].partition("###")[0]
    assert tuple(re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE)) == ENTRIES


def test_the_import_tables_document_every_column():
    text = (ROOT / "docs" / "reference" / "import-tables.md").read_text(encoding="utf-8")
    for modality in MODALITIES.values():
        for column, names in columns_of(modality.vocabulary).items():
            cells = _cells(text, column)
            assert all(f"`{name}`" in " ".join(cells[:2]) for name in names), column


def test_the_architecture_page_names_every_package_and_module():
    text = (ROOT / "docs" / "explanation" / "architecture.md").read_text(encoding="utf-8")
    names = {path.parent.name for path in (ROOT / "readerstudy").glob("*/__init__.py")}
    names |= {path.name for path in (ROOT / "readerstudy").glob("*.py")}
    usual = {"__init__.py", "admin_site.py", "celery.py", "middleware.py", "settings.py", "urls.py", "wsgi.py"}
    assert not {name for name in names - usual if f"`{name}`" not in text}


def test_decisions_have_one_form():
    paths = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert len({path.name[:4] for path in paths}) == len(paths)
    for path in paths:
        text = path.read_text(encoding="utf-8")
        number = int(path.name[:4])
        assert re.match(rf"# {number}\. [A-Z]", text), path.name
        assert "## Decision\n" in text, path.name
        assert "## Why\n" in text, path.name


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 90
