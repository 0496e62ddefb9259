"""Every test is in one group, files stay whole, and the list of long files names files that there are."""

from pathlib import Path

from tests.schedule import BROWSER, GROUPS, LONG, group_of, place_in

ROOT = Path(__file__).parents[1]
WHOLE_STUDY = "tests/test_whole_study.py::test_a"


def test_a_group_is_a_file_or_some_files_with_a_browser():
    assert group_of("tests/api/test_a.py::test_b[x::y]") == "tests/api/test_a.py"
    files = [path.relative_to(ROOT).as_posix() for path in (ROOT / BROWSER).glob("test_*.py")]
    groups = {group_of(f"{file}::test_a[chromium]") for file in files}
    assert len(groups) == GROUPS < len(files)
    assert all(group.startswith(BROWSER) for group in groups)


def test_long_files_come_first_then_those_with_many_tests():
    small, large = ["tests/a.py::test_a", "tests/a.py::test_b"], [f"tests/b.py::test_{letter}" for letter in "cde"]
    nodeids = [small[0], large[0], small[1], WHOLE_STUDY, *large[1:]]
    assert sorted(nodeids, key=place_in(nodeids)) == [WHOLE_STUDY, *large, *small]


def test_every_long_file_is_there():
    assert [file for file in LONG if not (ROOT / file).is_file()] == []
    assert len(set(LONG)) == len(LONG)
