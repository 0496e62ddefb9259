"""What jobs made: runs, attacks and evaluations. For researchers."""

from typing import Any, ClassVar

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView, RetrieveAPIView

from readerstudy.accounts.permissions import IsResearcher
from readerstudy.api.exchange.filters import Filters, of_choices
from readerstudy.experiments.models import Attack, Checkpoint, CheckpointKind, Evaluation
from readerstudy.truth.queries import find_import
from readerstudy.vocabulary import MADE_ELSEWHERE, Direction

_DIRECTIONS = [(direction.value, direction.value) for direction in Direction]


# --- shapes and filters -------------------------------------------------------------------------------------
class RunLine(serializers.ModelSerializer[Checkpoint]):
    """Weights with all they come from; the files lie in the run's folder."""

    made_from: Any = serializers.SlugRelatedField(slug_field="name", read_only=True)
    config = serializers.DictField()
    metrics = serializers.DictField()

    class Meta:
        model = Checkpoint
        fields = (
            "name",
            "kind",
            "cohort",
            "preset",
            "direction",
            "seed",
            "made_from",
            "job",
            "config",
            "metrics",
            "weights",
            "data_hash",
            "split_hash",
            "code_version",
            "made_at",
        )


class AttackLine(serializers.ModelSerializer[Attack]):
    """How adversarial images were made."""

    generator: Any = serializers.SlugRelatedField(slug_field="name", read_only=True)
    classifier: Any = serializers.SlugRelatedField(slug_field="name", read_only=True)
    settings = serializers.DictField()
    tells = serializers.SerializerMethodField(
        help_text="What gives imported images away, as codes, numbers and facts; null for attacks of this software."
    )

    def get_tells(self, row: Attack) -> dict[str, Any] | None:
        imported = find_import(row.name) if row.method in MADE_ELSEWHERE else None
        return dict(imported.tells) if imported else None

    class Meta:
        model = Attack
        fields = (
            "name",
            "method",
            "direction",
            "generator",
            "classifier",
            "settings",
            "seed",
            "cohort",
            "job",
            "code_version",
            "made_at",
            "tells",
        )


class EvaluationLine(serializers.ModelSerializer[Evaluation]):
    """One evaluation of a classifier on adversarial images."""

    classifier: Any = serializers.SlugRelatedField(slug_field="name", read_only=True)
    attacks: Any = serializers.SlugRelatedField(slug_field="name", read_only=True, many=True)

    class Meta:
        model = Evaluation
        fields: tuple[str, ...] = ("id", "name", "cohort", "resolution", "classifier", "attacks", "job", "made_at")


class EvaluationPage(EvaluationLine):
    """An evaluation with its figures (`readerstudy.results.evaluation`)."""

    result = serializers.DictField()

    class Meta(EvaluationLine.Meta):
        fields = (*EvaluationLine.Meta.fields, "result")


class RunFilters(Filters):
    """Filters of runs."""

    kind = of_choices(CheckpointKind.choices)
    direction = of_choices(_DIRECTIONS)
    cohort = filters.CharFilter()
    preset = filters.CharFilter()
    made_from = filters.CharFilter("made_from__name")

    class Meta:
        model = Checkpoint
        fields: ClassVar[list[str]] = []


class AttackFilters(Filters):
    """Filters of attacks."""

    method = filters.CharFilter()
    direction = of_choices(_DIRECTIONS)
    cohort = filters.CharFilter()
    generator = filters.CharFilter("generator__name")
    classifier = filters.CharFilter("classifier__name")

    class Meta:
        model = Attack
        fields: ClassVar[list[str]] = []


class EvaluationFilters(Filters):
    """Filters of evaluations."""

    cohort = filters.CharFilter()
    resolution = filters.CharFilter()
    classifier = filters.CharFilter("classifier__name")
    attack = filters.CharFilter("attacks__name")

    class Meta:
        model = Evaluation
        fields: ClassVar[list[str]] = []


# --- views --------------------------------------------------------------------------------------------------
@extend_schema(tags=["lab"])
class Runs(ListAPIView[Checkpoint]):
    """Every run, the newest first. For researchers."""

    permission_classes = [IsResearcher]
    queryset = Checkpoint.objects.select_related("made_from")
    serializer_class = RunLine
    filterset_class = RunFilters


@extend_schema(tags=["lab"])
class RunDetail(RetrieveAPIView[Checkpoint]):
    """One run. For researchers."""

    permission_classes = [IsResearcher]
    queryset = Checkpoint.objects.select_related("made_from")
    serializer_class = RunLine
    lookup_field = "name"


@extend_schema(tags=["lab"])
class Attacks(ListAPIView[Attack]):
    """Every attack, the newest first. For researchers."""

    permission_classes = [IsResearcher]
    queryset = Attack.objects.select_related("generator", "classifier")
    serializer_class = AttackLine
    filterset_class = AttackFilters


@extend_schema(tags=["lab"])
class AttackDetail(RetrieveAPIView[Attack]):
    """One attack. For researchers."""

    permission_classes = [IsResearcher]
    queryset = Attack.objects.select_related("generator", "classifier")
    serializer_class = AttackLine
    lookup_field = "name"


@extend_schema(tags=["lab"])
class Evaluations(ListAPIView[Evaluation]):
    """Every evaluation, the newest first, without figures. For researchers."""

    permission_classes = [IsResearcher]
    queryset = Evaluation.objects.select_related("classifier").prefetch_related("attacks")
    serializer_class = EvaluationLine
    filterset_class = EvaluationFilters


@extend_schema(tags=["lab"])
class EvaluationDetail(RetrieveAPIView[Evaluation]):
    """One evaluation with its figures. For researchers."""

    permission_classes = [IsResearcher]
    queryset = Evaluation.objects.select_related("classifier").prefetch_related("attacks")
    serializer_class = EvaluationPage
