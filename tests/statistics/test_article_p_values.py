"""The second program that fits the article's p-values computes the test's forms, and its document holds its results."""

import numpy as np
import pytest

from readerstudy.statistics.subgroups import subgroup_test
from tests.bench.parts import article_p
from tests.bench.parts.article_p import DOCUMENT, FORMS, PRINTED


@pytest.mark.parametrize("form", FORMS, ids=" ".join)
@pytest.mark.parametrize("printed", [PRINTED[0], PRINTED[1]], ids=["real", "adversarial"])
def test_the_second_program_has_the_p_of_every_form(printed: article_p.Printed, form: article_p.Form) -> None:
    rng = np.random.default_rng(3)
    sessions = {number: article_p._session(printed, number, 75, rng) for number in (2, 3, 5)}
    sd_of, error, distribution = form
    test = subgroup_test(
        {number: credits[member] for number, (credits, member) in sessions.items() if member.any()},
        3,
        5,
        error=error,
        distribution=distribution,
        sd_of=sd_of,
        whole={number: credits for number, (credits, _member) in sessions.items()},
        within={number: member for number, (_credits, member) in sessions.items() if member.any()},
    )
    assert dict(article_p._forms(sessions, 5))[form] == pytest.approx(test.p, rel=1e-10)


def test_the_document_has_the_medians_of_the_forms() -> None:
    """A run of fewer orders: the medians of the document are known to about .01."""
    lines = DOCUMENT.read_text().splitlines()
    values = article_p.every_p(75, 150, (5,))
    for distribution in ("t", "normal"):
        start = lines.index(f"**Median p over the orders, 75 adversarial images of positives, g = 5, {distribution}**")
        forms = [form for form in FORMS if form[2] == distribution]
        for row, each in zip(lines[start + 4 :], values, strict=False):
            name, _printed, *cells = (cell.strip() for cell in row.strip("| ").split(" | "))
            assert name == each.printed.name
            for cell, form in zip(cells, forms, strict=True):
                written = 0.0005 if cell.startswith("<") else float(cell)
                assert each.median(5, form) == pytest.approx(written, abs=0.03), (name, form)


def test_the_literal_reading_fits_better_than_the_default_unless_positives_are_many() -> None:
    """What the document says of the forms; log-likelihoods of 150 orders are known to about one."""
    values = article_p.every_p(75, 150, (5,))
    whole = article_p._log_likelihood(values, 5, ("whole", "difference", "normal"))
    assert whole > article_p._log_likelihood(values, 5, ("subset", "difference", "normal")) + 2
    assert whole > article_p._log_likelihood(values, 5, ("subset", "single", "normal"))
