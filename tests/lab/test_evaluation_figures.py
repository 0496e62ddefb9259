"""Descriptions of the figures of an evaluation."""

from dataclasses import replace

from readerstudy.lab.evaluation_figures import evaluation_figures
from readerstudy.results.evaluation import Variant
from tests import results


def test_an_unchanged_baseline_is_not_applicable_in_the_figure():
    result = results.evaluation_result(classifier="cad-2")
    unchanged = [
        replace(transfer, variant=Variant.IDENTITY, is_target=False, is_applicable=False)
        for transfer in result.transfers
    ]
    figures = {
        figure.key: figure for figure in evaluation_figures(replace(result, transfers=(*result.transfers, *unchanged)))
    }
    description = figures["transfer"].description
    assert "GAN on cad-1: 4 of 5, made for it" in description
    assert "GAN, identity baseline on cad-2: not applicable" in description
