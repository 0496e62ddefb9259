"""The demonstrations: every modality has one, and all can stand in one database."""

import pytest
from django.core.management import CommandError, call_command

from readerstudy.experiments.fields import METHODS
from readerstudy.modalities import MODALITIES, find_modality
from readerstudy.names import name_error


def test_an_unknown_modality_is_answered_with_those_that_there_are():
    with pytest.raises(CommandError, match=f"no modality 'xy'; there are: {', '.join(MODALITIES)}"):
        call_command("demo", modality="xy")


def test_a_code_may_be_written_in_small_letters():
    assert all(find_modality(code.lower()).code == code for code in MODALITIES)


def test_demonstrations_have_names_of_their_own():
    names = [modality.demo.name for modality in MODALITIES.values()]
    assert len(set(names)) == len(names)
    assert not any(name_error(name) for name in names)


@pytest.mark.parametrize("modality", MODALITIES.values(), ids=str)
def test_a_demonstration_fits_its_modality(modality):
    demo = modality.demo
    assert demo.layout in modality.layouts
    assert modality.presets[demo.preset] == demo.layout
    assert demo.attack in {"gans", *(method.key for method in METHODS)}
