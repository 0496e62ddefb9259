"""Responses of the reader's API. What is documented here is what is sent."""

from datetime import UTC
from typing import Any, Final, assert_never, get_args

from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema_field
from rest_framework import serializers

from readerstudy.api.reader.steps import (
    AskStep,
    DoneStep,
    HeldStep,
    PractiseStep,
    ReaderStep,
    ReadStep,
    TeachStep,
    WaitStep,
)
from readerstudy.protocol.questions import Question, QuestionKind
from readerstudy.protocol.sessions import SessionKind, Verdict
from readerstudy.reading.forms import PAGE_FORMS
from readerstudy.reading.queries import ReaderState, SessionSummary, StudySummary

STEP_KINDS = ("practise", "read", "teach", "ask", "wait", "done")


# --- sessions -----------------------------------------------------------------------------------------------
class ReaderSessionSerializer(serializers.Serializer[SessionSummary]):
    """One session in the reader's list."""

    number = serializers.IntegerField()
    title = serializers.CharField()
    kind = serializers.ChoiceField(choices=SessionKind.choices)
    state = serializers.ChoiceField(choices=["waiting", "open", "under_way", "done"])
    answered = serializers.IntegerField()
    total = serializers.IntegerField()


class ReaderStudySerializer(serializers.Serializer[StudySummary]):
    """One study in the reader's list."""

    study = serializers.CharField(source="code", help_text="the study's code")
    form = serializers.ChoiceField(choices=list(PAGE_FORMS), help_text="of all its images")
    state = serializers.ChoiceField(
        choices=list(get_args(ReaderState)), help_text="only an open study can be read; it depends on the reader too"
    )
    sessions = ReaderSessionSerializer(many=True)


class ReaderStudiesSerializer(serializers.Serializer[Any]):
    """The reader's studies and sessions."""

    studies = ReaderStudySerializer(many=True)


# --- steps --------------------------------------------------------------------------------------------------
class ChoiceSerializer(serializers.Serializer[Any]):
    """One answer to choose."""

    value = serializers.CharField()
    text = serializers.CharField()


class QuestionSerializer(serializers.Serializer[Question]):
    """A question that follows the verdict, or that is asked once at the end of a session.

    A choice is answered by one value, several choices by a list of values, a point of a scale by a whole number, marks
    by positions in the image.
    """

    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=[kind.value for kind in QuestionKind])
    text = serializers.CharField(help_text="in the reader's language, as all texts")
    choices = ChoiceSerializer(many=True)
    after = serializers.ListField(
        child=serializers.CharField(), help_text="the verdicts that it follows; empty: every verdict"
    )
    required: Any = serializers.BooleanField()
    most = serializers.IntegerField(help_text="largest number of marks")
    minimum = serializers.FloatField(allow_null=True, help_text="of a scale or a number; null: no bound")
    maximum = serializers.FloatField(allow_null=True, help_text="of a scale or a number; null: no bound")
    minimum_label = serializers.CharField(allow_null=True, help_text="what the lowest value means")
    maximum_label = serializers.CharField(allow_null=True, help_text="what the highest value means")
    whole = serializers.BooleanField(help_text="a number must be whole")
    longest = serializers.IntegerField(help_text="characters of a text")


class StimulusSerializer(serializers.Serializer[Any]):
    """What a reader may know of a presentation."""

    code = serializers.CharField(help_text="random; one for each reader and position")
    width = serializers.IntegerField(source="format.width", help_text="pixels")
    height = serializers.IntegerField(source="format.height", help_text="pixels")
    bits = serializers.IntegerField(source="format.bits")
    flip = serializers.BooleanField(source="format.flip", help_text="show it mirrored")


class BreakSerializer(serializers.Serializer[Any]):
    """Adds the field `break`."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return the declared fields and `break`, which is a Python keyword and cannot be declared."""
        offered = serializers.BooleanField(source="break_before", help_text="the plan offers a break before this image")
        return {**super().get_fields(), "break": offered}


class AidSerializer(serializers.Serializer[Any]):
    """The score of a classifier for the image, from 0 to 1 with two decimals, and its threshold."""

    score = serializers.CharField()
    threshold = serializers.CharField()
    above = serializers.BooleanField(source="is_above", help_text="the score is above the threshold")


class ShownImageSerializer(StimulusSerializer):
    """A presentation with the address of its image."""

    image = serializers.CharField()
    aid = AidSerializer(required=False, help_text="only in a session with an aid, and not for the practice image")

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Return the fields; in a session without an aid there is no trace of one."""
        values = super().to_representation(instance)
        return {name: value for name, value in values.items() if name != "aid" or value is not None}


class NextImageSerializer(BreakSerializer, ShownImageSerializer):
    """The presentation after the current one."""


class PanelsSerializer(serializers.Serializer[Any]):
    """The addresses of a triptych's panels."""

    real = serializers.CharField()
    adversarial = serializers.CharField()
    difference = serializers.CharField()


class TriptychSerializer(StimulusSerializer):
    """A triptych as far as its reader may know it."""

    lesson = serializers.CharField(help_text="the address of what it teaches")
    line = serializers.CharField(help_text="the address of the line of text below it, once it is the current one")


class NextTriptychSerializer(BreakSerializer, TriptychSerializer):
    """The triptych after the current one."""

    images = PanelsSerializer()


class StepSerializer(serializers.Serializer[Any]):
    """The kind of a step; the other fields depend on it."""

    kind = serializers.ChoiceField(choices=STEP_KINDS)


class ImageStepSerializer(BreakSerializer, StepSerializer):
    """A step with an image."""

    total = serializers.IntegerField(source="prompt.total", help_text="images of the session")
    verdicts = serializers.ListField(child=serializers.ChoiceField(choices=Verdict.choices), source="prompt.verdicts")
    verdict_labels = serializers.DictField(
        child=serializers.CharField(), source="prompt.verdict_labels", help_text="what each verdict is called"
    )
    questions = QuestionSerializer(many=True, source="prompt.questions")


class PractiseStepSerializer(ImageStepSerializer):
    """Give a verdict on the practice image; it is not stored. `next` is the first image that counts."""

    stimulus = ShownImageSerializer()
    next = NextImageSerializer()
    after_next = NextImageSerializer(allow_null=True, help_text="null if there is none")


class ReadStepSerializer(ImageStepSerializer):
    """Give a verdict on the image at this position."""

    position = serializers.IntegerField(help_text="from 1")
    stimulus = ShownImageSerializer()
    next = NextImageSerializer(allow_null=True, help_text="null at the last image")
    after_next = NextImageSerializer(allow_null=True, help_text="null at the last two images")


class TeachStepSerializer(ImageStepSerializer):
    """View the triptych at this position."""

    position = serializers.IntegerField(help_text="from 1")
    stimulus = TriptychSerializer()
    images = PanelsSerializer(source="stimulus.images")
    next = NextTriptychSerializer(allow_null=True, help_text="null at the last image")
    after_next = NextTriptychSerializer(allow_null=True, help_text="null at the last two images")


class AskStepSerializer(StepSerializer):
    """Answer the questions at the end of the session, all at once."""

    questions = QuestionSerializer(many=True)


class WaitStepSerializer(StepSerializer):
    """The session cannot be read now."""

    until = serializers.DateTimeField(
        default_timezone=UTC, allow_null=True, help_text="null if that depends on the reader or on a coordinator"
    )
    reason = serializers.CharField(required=False, help_text="if a coordinator has to resume the session or the study")


class DoneStepSerializer(StepSerializer):
    """The session is finished."""


STEP = PolymorphicProxySerializer(
    component_name="ReaderStep",
    serializers={
        "practise": PractiseStepSerializer,
        "read": ReadStepSerializer,
        "teach": TeachStepSerializer,
        "ask": AskStepSerializer,
        "wait": WaitStepSerializer,
        "done": DoneStepSerializer,
    },
    resource_type_field_name="kind",
)


# Made once: making a serializer takes longer than its work, which changes nothing in it.
_PRACTISE: Final = PractiseStepSerializer()
_READ: Final = ReadStepSerializer()
_TEACH: Final = TeachStepSerializer()
_ASK: Final = AskStepSerializer()
_WAIT: Final = WaitStepSerializer()
_DONE: Final = DoneStepSerializer()


def step_data(step: ReaderStep) -> dict[str, Any]:
    """Return the step as JSON values."""
    return _serializer_of(step).to_representation(step)


def _serializer_of(step: ReaderStep) -> StepSerializer:
    match step:
        case PractiseStep():
            return _PRACTISE
        case ReadStep():
            return _READ
        case TeachStep():
            return _TEACH
        case AskStep():
            return _ASK
        case WaitStep() | HeldStep():
            return _WAIT
        case DoneStep():
            return _DONE
        case _:
            assert_never(step)


@extend_schema_field(STEP)
class StepField(serializers.Field[ReaderStep, Any, dict[str, Any], ReaderStep]):
    """A step inside another response."""

    def to_representation(self, value: ReaderStep) -> dict[str, Any]:
        """Return the step as JSON values."""
        return step_data(value)


# --- other responses ----------------------------------------------------------------------------------------
class ReportedSerializer(serializers.Serializer[Any]):
    """The acknowledgement of a reported problem."""

    reported = serializers.BooleanField(help_text="always true")


class ReceiptSerializer(serializers.Serializer[Any]):
    """The receipt of a stored verdict, or of stored answers, and the step after it."""

    receipt = serializers.UUIDField(allow_null=True, help_text="null after practice, which is not stored")
    step = StepField()


# Made once, as those of the steps.
RECEIPT: Final = ReceiptSerializer()


class DisplayJudgementSerializer(serializers.Serializer[Any]):
    """Whether the display passed, and the reasons why it did not."""

    passed = serializers.BooleanField()
    failures = serializers.ListField(child=serializers.CharField())


class ConflictSerializer(serializers.Serializer[Any]):
    """The protocol does not allow the request now."""

    title = serializers.CharField(required=False, help_text="the phrase of the status")
    status = serializers.IntegerField(required=False, help_text="of HTTP")
    detail = serializers.CharField()
    step = StepField(required=False, help_text="the current step, if the request was about another one")
    taken_over = serializers.BooleanField(required=False, help_text="true if another page holds the session")
    paused = serializers.BooleanField(
        required=False, help_text="true while the study is paused: keep the verdict and send it again later"
    )
