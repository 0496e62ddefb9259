"""The vocabulary is the one definition: labels and stored choices cover exactly its words."""

from enum import StrEnum
from typing import Any

import pytest
from django.db.models import Field
from hypothesis import given
from hypothesis import strategies as st

from readerstudy.cohort import models as cohort
from readerstudy.truth import models as truth
from readerstudy.vocabulary import Direction, Pathology, Split, choice_pairs


@pytest.mark.parametrize(
    ("vocabulary", "labels"),
    [
        (Split, cohort.SPLIT_LABELS),
        (Pathology, truth.PATHOLOGY_LABELS),
        (Direction, truth.DIRECTION_LABELS),
    ],
)
def test_every_word_has_a_label(vocabulary: type[StrEnum], labels: dict[StrEnum, Any]) -> None:
    assert list(labels) == list(vocabulary)


@pytest.mark.parametrize(
    ("model", "name", "vocabulary"),
    [
        (cohort.Patient, "split", Split),
        (truth.ImageTruth, "pathology", Pathology),
        (truth.Truth, "direction", Direction),
    ],
)
def test_columns_offer_the_words_as_plain_text(model: Any, name: str, vocabulary: type[StrEnum]) -> None:
    field: Field[Any, Any] = model._meta.get_field(name)
    values = [value for value, _label in field.choices or ()]
    assert values == [word.value for word in vocabulary]
    assert {type(value) for value in values} == {str}
    assert max(map(len, values)) <= (field.max_length or 0)


def test_pairs_keep_the_order_of_the_labels() -> None:
    assert choice_pairs({Split.TEST: "Test", Split.TRAIN: "Train"}) == (("test", "Test"), ("train", "Train"))


@given(st.lists(st.sampled_from([word.value for word in Pathology]), min_size=1))
def test_the_finding_is_worse_than_another_and_than_none(pathologies: list[str]) -> None:
    expected = next(word for word in ("positive", "other", "normal") if word in pathologies)
    assert Pathology.worst(pathologies) is Pathology(expected)


def test_a_word_equals_its_stored_text() -> None:
    assert {Split.TEST: 1}["test"] == 1
    assert f"{Split.TEST}" == "test"
