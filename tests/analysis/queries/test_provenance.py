"""What made a study's adversarial images, from the rows of attacks and runs."""

import pytest

from readerstudy.analysis.queries.provenance import generators_and_attacks
from readerstudy.analysis.record.conduct import AttackRun, NetworkRun
from readerstudy.experiments.models import Attack, CheckpointKind
from tests import make
from tests.lab.conftest import checkpoint

pytestmark = pytest.mark.django_db


def attack(name: str, method: str, *, generator=None, classifier=None, **settings) -> Attack:
    return Attack.get_or_make(
        name,
        job=None,
        code_version="abc",
        at=make.MONDAY,
        method=method,
        direction="",
        generator=generator,
        classifier=classifier,
        settings=settings,
        seed=3,
        cohort="films",
    )


def test_an_attack_by_gradient_is_not_taken_for_a_generator():
    attack("pgd-cad", "pgd", classifier=checkpoint("cad", CheckpointKind.CLASSIFIER), epsilon=1028)
    assert generators_and_attacks(["pgd-cad"]) == (
        (),
        (AttackRun("pgd-cad", "pgd", {"epsilon": 1028}, "cad", 3, "abc"),),
    )


def test_images_of_a_generator_with_a_suffix_have_its_run():
    run = checkpoint("gan-insert", CheckpointKind.GENERATOR)
    attack("gan-insert-film", "gan", generator=run)
    ((generator,), attacks) = generators_and_attacks(["gan-insert-film"])
    assert (generator.name, generator.preset, generator.seed) == ("gan-insert-film", run.preset, run.seed)
    assert attacks == ()


def test_runs_without_a_row_of_an_attack_are_found_by_name():
    run = checkpoint("gan-insert", CheckpointKind.GENERATOR)
    generators, attacks = generators_and_attacks(["gan-insert", "gan-remove"])
    assert [generator.code_version for generator in generators] == [run.code_version, ""]
    assert generators[1] == NetworkRun("gan-remove", "generator")
    assert attacks == ()
