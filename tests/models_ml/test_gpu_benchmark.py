"""The benchmark of graphics cards, tried on the processor with small networks."""

import time
from dataclasses import replace

import pytest
import torch

from tests.bench.card import Row
from tests.bench.parts import gpu, speed


@pytest.fixture(scope="module")
def found() -> list[Row]:
    plan = replace(gpu.trial(), sizes=((32, 24),))
    return list(gpu.rows(plan, torch.device("cpu"), until=time.monotonic() + 600))


def test_the_whole_script_runs_and_its_checks_hold(found):
    assert gpu.failures(found) == []
    values = {name: value for name, value, _unit in found}
    for network in ("classifier", "discriminator", "generator"):
        for figure in ("images_per_s", "peak_gb", "of_ceiling", "speedup"):
            assert values[f"{network}_32_{figure}"] > 0
    assert values["generation_32_images_per_s"] > 0
    assert values["scoring_32_images_per_s"] > 0
    assert values["training_32_last_loss"] < values["training_32_first_loss"]
    assert values["resumed_run_weights_differ"] == 0
    assert values["scores_from_cpu"] == values["gradients_from_cpu"] == 0  # here both are the processor


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("gradients_from_cpu", 0.01),
        ("scores_from_cpu", float("nan")),
        ("resumed_run_same_bits", 0),
        ("training_32_loss_fell", 0),
    ],
)
def test_a_check_that_does_not_hold_is_named(found, name, value):
    changed = [(own, value if own == name else measured, unit) for own, measured, unit in found]
    (failure,) = gpu.failures(changed)
    assert failure.startswith(name)


def test_a_check_that_was_not_reached_is_a_failure(capsys):
    begun = list(gpu.rows(gpu.trial(), torch.device("cpu"), until=time.monotonic() - 1))
    assert [name for name, _value, _unit in begun] == ["ceiling_tflops"]
    assert "left out, out of time: training" in capsys.readouterr().err
    assert len(gpu.failures(begun)) == len(gpu.CHECKS) + len(gpu.ANSWERS)


def test_without_a_card_the_command_says_so():
    with pytest.raises(SystemExit, match="no graphics card here; --trial"):
        gpu.main()


def test_on_a_card_the_article_s_networks_are_measured_at_both_sizes():
    plan = gpu.article()
    assert plan.sizes == plan.literal == ((1024, 832), (1728, 1408))
    assert (plan.training.preset, plan.seconds) == ("zhou2021-low", 120)
    assert plan.networks.classifier(1728, 1408).images_per_class == 4


def test_a_machine_is_compared_with_the_measured_rows_of_its_kind():
    rows = speed.expected_rows(speed.PAGE.read_text(encoding="utf-8"))
    kinds = {row.kind for row in rows}
    assert kinds == {"AMD EPYC, 2 threads"}
    measured = [("ceiling_float32", 205.0, "GFLOP/s"), ("ceiling_bfloat16", 90.0, "GFLOP/s")]
    lines, is_slow = speed.verdict("AMD EPYC, 2 threads", measured, rows)
    assert is_slow
    assert "0.98 of 209: as its kind" in lines[0]
    assert "0.20 of 451: slower than its kind" in lines[1]
    assert not speed.verdict("AMD EPYC, 2 threads", measured[:1], rows)[1]
    lines, is_slow = speed.verdict("another card", measured, rows)
    assert not is_slow
    assert all("no machine of this kind" in line for line in lines)
