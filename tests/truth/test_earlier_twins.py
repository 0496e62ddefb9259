"""Twins from before attacks were rows get the row of their generator."""

from importlib import import_module

import pytest
from django.apps import apps

from readerstudy.experiments.models import Attack, Checkpoint, CheckpointKind
from readerstudy.truth.models import Truth
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small")]
EARLIER = import_module("readerstudy.truth.migrations.0004_attacks_of_earlier_twins")


def test_every_twin_whose_generator_is_known_points_to_its_attack():
    make.twins_for(make.cohort())
    Truth.objects.update(attack=None)
    run = Checkpoint.objects.create(
        name="gan-insert",
        kind=CheckpointKind.GENERATOR,
        cohort="films",
        preset="demo",
        direction="insert",
        seed=7,
        made_at=make.MONDAY,
    )
    EARLIER.name_earlier_attacks(apps, None)
    EARLIER.name_earlier_attacks(apps, None)  # the second time there is nothing left to do
    attack = Attack.objects.get()
    assert (attack.name, attack.method, attack.direction, attack.seed) == ("gan-insert", "gan", "insert", 7)
    assert attack.generator == run
    by_it, others = Truth.objects.filter(generator="gan-insert"), Truth.objects.filter(generator="gan-remove")
    assert by_it.exists()
    assert others.exists()
    assert not by_it.exclude(attack=attack).exists()
    assert not others.exclude(attack=None).exists()  # nothing is known of that run
