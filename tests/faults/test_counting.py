"""The harness counts what it is meant to find: each kind of loss, made by hand, is counted."""

import json
from dataclasses import replace

import pytest

from tests.faults.verdict import Counts, compare

KEYS = [f"key-{number}" for number in range(3)]
CLEAN = Counts(acknowledged=2, stored=3, jobs_done=1)


@pytest.fixture
def run(tmp_path):
    """A census, journals and jobs without a fault: three verdicts were stored, the answer to the last was lost."""
    lines = []
    for number, key in enumerate(KEYS):
        lines.append({"sent": key, "stimulus": f"code-{number}", "verdict": "real", "at": "/"})
        if number < 2:
            lines.append({"acknowledged": key, "receipt": f"receipt-{number}"})
    lines.append({"acknowledged": "key of the practice", "receipt": None})
    (tmp_path / "reader.jsonl").write_text("\n".join(map(json.dumps, lines)))
    (tmp_path / "trace").write_text("1\n2\n3\n5\n")
    readings = [["reader", 1, number + 1, f"code-{number}", "real", key] for number, key in enumerate(KEYS)]
    job = {"id": 7, "folder": str(tmp_path), "status": "done", "done_lines": 1, "result": {"counted": 5}}
    census = {"readings": readings, "sessions": [["reader", 1, 3]], "jobs": [job]}
    return census, tmp_path, [{"id": 7, "folder": str(tmp_path)}]


def test_a_clean_run_has_nothing_wrong(run):
    assert compare(*run) == CLEAN
    assert CLEAN.wrong == {}


@pytest.mark.parametrize(
    ("spoil", "wrong"),
    [
        (lambda census: census["readings"].pop(0), {"missing": 1, "out_of_order": 1, "wrong_counters": 1}),
        (lambda census: census["readings"][1].__setitem__(4, "unsure"), {"different": 1}),
        (lambda census: census["readings"][1].__setitem__(3, "code-0"), {"different": 1, "doubled": 1}),
        (lambda census: census["readings"].reverse(), {"out_of_order": 1}),
        (lambda census: census["readings"][2].__setitem__(5, "another"), {"never_sent": 1}),
        (lambda census: census["sessions"][0].__setitem__(2, 2), {"wrong_counters": 1}),
        (lambda census: census["jobs"][0].update(status="failed"), {"jobs_not_done_once": 1}),
        (lambda census: census["jobs"][0].update(done_lines=2), {"jobs_not_done_once": 1}),
    ],
)
def test_each_kind_of_loss_is_counted(run, spoil, wrong):
    spoil(run[0])
    assert compare(*run).wrong == wrong


def test_two_workers_on_one_run_are_counted(run):
    (run[1] / "trace").write_text("1\n2\n3\n2\n4\n")
    assert compare(*run).wrong == replace(CLEAN, jobs_with_two_workers=1).wrong == {"jobs_with_two_workers": 1}
