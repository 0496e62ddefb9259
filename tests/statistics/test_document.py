"""The examples of docs/explanation/statistics.md run; the calibration covers every test."""

import doctest
from collections import Counter

import numpy as np
import pytest

from readerstudy.statistics import exact_tests
from readerstudy.statistics.proportions import wilson
from tests.bench.nulls import document, truths, within_reader
from tests.bench.parts import calibration


def test_the_examples_of_the_document_print_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(document.EXAMPLES.parents[2])
    result = doctest.testfile(str(document.EXAMPLES), module_relative=False, optionflags=doctest.ELLIPSIS)
    assert result.attempted > 10
    assert result.failed == 0


def test_the_examples_for_users_of_other_programs_print_what_it_says() -> None:
    guide = document.EXAMPLES.parents[1] / "guides" / "mrmc-programs.md"
    result = doctest.testfile(str(guide), module_relative=False)
    assert result.attempted > 40
    assert result.failed == 0


def test_the_document_has_a_place_for_the_tables_of_the_calibration() -> None:
    text = document.DOCUMENT.read_text()
    assert text.index(document.BEGIN) < text.index(document.END)


@pytest.mark.parametrize("truth", truths.TRUTHS, ids=lambda truth: truth.name)
def test_every_panel_of_the_calibration_has_an_answer_for_a_study(truth: truths.Truth) -> None:
    rng = np.random.default_rng(1)
    study = truths.simulate(truth, rng)
    for panel in (*calibration.PANELS[1:], *calibration.COVERAGE, *calibration.ONCE):
        outcomes = Counter(name for name, _ in panel(study, rng))
        assert set(outcomes.values()) <= {1, truths.READERS}


def test_simulated_readers_have_the_stated_shares_and_no_change() -> None:
    rng = np.random.default_rng(2)
    studies = [truths.simulate(truths.TRUTHS[0], rng) for _ in range(40)]
    for session in (3, 5):
        seen = np.mean(
            [study.sessions[session].correct[:, study.sessions[session].adversarial == 0] for study in studies]
        )
        said = np.mean([truths.level_shares(study.sessions[session].mean[:, 0])[:, 0] for study in studies])
        assert seen == pytest.approx(said, abs=0.015)
    assert all(np.array_equal(study.sessions[3].mean, study.sessions[5].mean) for study in studies)


def test_the_table_of_boschloos_ps_is_the_packages_one_by_one() -> None:
    table = within_reader.boschloo_table(14, 11)
    for hits, others in ((0, 11), (3, 7), (7, 6), (14, 5), (14, 11)):
        assert table[hits, others] == pytest.approx(
            exact_tests.boschloo(wilson(hits, 14), wilson(others, 11)), abs=1e-3
        )
