"""Descriptions of the figures of an evaluation."""

import re
from dataclasses import replace

from django.utils import translation

from readerstudy.lab.evaluation_figures import evaluation_figures
from readerstudy.modalities.mammography.modality import MAMMOGRAPHY
from readerstudy.results.evaluation import Variant
from tests import results

WORDS = MAMMOGRAPHY.words.lab


def test_an_unchanged_baseline_is_not_applicable_in_the_figure():
    result = results.evaluation_result(classifier="cad-2")
    unchanged = [
        replace(transfer, variant=Variant.IDENTITY, is_target=False, is_applicable=False)
        for transfer in result.transfers
    ]
    changed = replace(result, transfers=(*result.transfers, *unchanged))
    figures = {figure.key: figure for figure in evaluation_figures(changed, WORDS)}
    description = figures["transfer"].description
    assert "GAN on cad-1: 4 of 5, made for it" in description
    assert "GAN, identity baseline on cad-2: not applicable" in description


def test_the_axes_of_the_reliability_have_the_words_of_the_modality():
    figures = {figure.key: figure for figure in evaluation_figures(results.evaluation_result(), WORDS)}
    (axes,) = figures["reliability"].draw().axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("Mean probability of cancer", "Share malignant")


def test_german_figures_have_german_decimals():
    with translation.override("de"):
        figures = [each.picture() for each in evaluation_figures(results.evaluation_result(), WORDS)]
    words = [text for figure in figures for text in re.findall(r"<text[^>]*>([^<]*)</text>", figure.svg)]
    assert any(re.search(r"[0-9],[0-9]", word) for word in words)
    shown = [*words, *(figure.description for figure in figures)]
    assert not [text for text in shown if re.search(r"[0-9]\.[0-9]", text)]
