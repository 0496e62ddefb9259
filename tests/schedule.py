"""The order in which the workers of pytest-xdist get the tests: what takes longest first, files whole.

A worker that gets a long file last still works while the others have nothing left. The files with a browser share
fixtures of their folder, which a worker sets up anew whenever it comes back to the folder: they go in a few groups.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any, Final
from zlib import crc32

from xdist.scheduler import LoadScopeScheduling

# Files that take longer than half a minute, the longest first. Those that are not here follow by number of tests.
LONG: Final = (
    "tests/rehearsal/test_blinding_audit.py",
    "tests/rehearsal/test_coordinator_audit.py",
    "tests/test_whole_study.py",
    "tests/deployment/test_service.py",
    "tests/faults/test_service_faults.py",
    "tests/test_permissions.py",
    "tests/deployment/test_release.py",
    "tests/upgrade/test_upgrade.py",
    "tests/bundle/test_every_part.py",
    "tests/fuzz/test_api.py",
    "tests/analysis/report/test_pdf_fits.py",
    "tests/analysis/report/test_paper.py",
    "tests/analysis/report/test_making.py",
    "tests/analysis/report/test_versions.py",
    "tests/test_local_database.py",
    "tests/faults/test_clock_set_back.py",
    "tests/analysis/report/test_report.py",
    "tests/backup/test_drill.py",
    "tests/deployment/test_wheel.py",
    "tests/models_ml/training/test_compact.py",
    "tests/rehearsal/test_rehearsed_drafts.py",
    "tests/deployment/test_trying_single_sign_on.py",
)
BROWSER: Final = "tests/browser/"
GROUPS: Final = 6


def group_of(nodeid: str) -> str:
    """Return the name of the tests that one worker gets together with this one: its file, or some files."""
    file = nodeid.partition("::")[0]
    return f"{BROWSER}{crc32(file.encode()) % GROUPS}" if file.startswith(BROWSER) else file


def place_in(nodeids: list[str]) -> Callable[[str], tuple[int, int]]:
    """Return the key by which these tests are sorted; tests of one group stay as they are among themselves."""
    sizes = Counter(map(group_of, nodeids))
    places = {file: place for place, file in enumerate(LONG)}
    return lambda nodeid: (places.get(group := group_of(nodeid), len(LONG)), -sizes[group])


class LongestFirst(LoadScopeScheduling):
    """Groups of tests to workers, in the order of the collection."""

    def __init__(self, config: Any, log: Any) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)
