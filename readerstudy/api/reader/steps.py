"""The current step of a session as plain values: all that a reader may see of it.

Addresses of images contain random codes only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeVar, assert_never

from django.urls import reverse

from readerstudy.cohort.models import Stimulus
from readerstudy.modalities.modality import Modality
from readerstudy.protocol.questions import Question
from readerstudy.protocol.sessions import Verdict
from readerstudy.reading.actions import StudyPaused, current_step, hold_message
from readerstudy.reading.flow import Ask, Done, Held, Practice, Practise, Read, Ready, Teach, Wait
from readerstudy.reading.place import Place
from readerstudy.reading.queries import IMAGES_AHEAD
from readerstudy.studies.models import Presentation, SessionPlan

Panel = Literal["real", "adversarial", "difference"]
_Shown = TypeVar("_Shown")
PANELS: tuple[Panel, ...] = ("real", "adversarial", "difference")


@dataclass(frozen=True)
class ImageFormat:
    """What a reader may know of a stimulus. `width` and `height` in pixels; `flip`: show it mirrored."""

    width: int
    height: int
    bits: int
    flip: bool


@dataclass(frozen=True)
class ShownAid:
    """The aid beside an image: score and threshold with two decimals, and on which side of it the score is."""

    score: str
    threshold: str
    is_above: bool


@dataclass(frozen=True)
class ShownImage:
    """A presentation as one image: its random code, its format, and the address of its file.

    `aid` is None in a session without one, and for the practice image.
    """

    code: str
    format: ImageFormat
    image: str
    break_before: bool  # the plan offers a break before it
    aid: ShownAid | None = None


@dataclass(frozen=True)
class ShownTriptych:
    """A presentation as a triptych: its random code, its format, and the addresses of what it shows and teaches."""

    code: str
    format: ImageFormat
    images: dict[Panel, str]
    lesson: str  # the address of what it teaches
    line: str  # the address of the line of text below it, which answers once the triptych is the current one
    break_before: bool  # the plan offers a break before it


@dataclass(frozen=True)
class Prompt:
    """What every image of a session has in common. `total`: images of the session.

    Labels and questions are in the reader's language.
    """

    total: int
    verdicts: tuple[Verdict, ...]
    verdict_labels: dict[str, str]
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class PractiseStep:
    """Give a verdict on the practice image; it is not stored. `next`: the first image that counts."""

    prompt: Prompt
    stimulus: ShownImage
    next: ShownImage
    after_next: ShownImage | None
    break_before: Literal[False] = False
    kind: Literal["practise"] = "practise"


@dataclass(frozen=True)
class ReadStep:
    """Give a verdict on the image at this position (from 1)."""

    prompt: Prompt
    position: int
    stimulus: ShownImage
    next: ShownImage | None
    after_next: ShownImage | None
    kind: Literal["read"] = "read"

    @property
    def break_before(self) -> bool:
        """Whether the plan offers a break before the current image."""
        return self.stimulus.break_before


@dataclass(frozen=True)
class TeachStep:
    """View the triptych at this position (from 1)."""

    prompt: Prompt
    position: int
    stimulus: ShownTriptych
    next: ShownTriptych | None
    after_next: ShownTriptych | None
    kind: Literal["teach"] = "teach"

    @property
    def break_before(self) -> bool:
        """Whether the plan offers a break before the current triptych."""
        return self.stimulus.break_before


@dataclass(frozen=True)
class AskStep:
    """Answer the questions at the end of the session, all at once. They are in the reader's language."""

    questions: tuple[Question, ...]
    kind: Literal["ask"] = "ask"


@dataclass(frozen=True)
class WaitStep:
    """The session cannot be read yet. `until` is None if that depends on the reader."""

    until: datetime | None
    kind: Literal["wait"] = "wait"


@dataclass(frozen=True)
class HeldStep:
    """The session or its study waits until a coordinator resumes it; `reason` is shown to the reader."""

    reason: str
    until: None = None
    kind: Literal["wait"] = "wait"


@dataclass(frozen=True)
class DoneStep:
    """The session is finished."""

    kind: Literal["done"] = "done"


ReaderStep = PractiseStep | ReadStep | TeachStep | AskStep | WaitStep | HeldStep | DoneStep


def build_step(place: Place, *, at: datetime) -> ReaderStep:
    """Return the current step; a session that is not open yet, or is paused, waits.

    Raises NotItsTurn if the study is closed.
    """
    reading_list, plan = place.reading_list, place.reading_list.session_plan
    try:
        step = current_step(place, at=at)
    except StudyPaused as error:
        return HeldStep(str(error))
    match step:
        case Wait(until=until):
            return WaitStep(until)
        case Ready():
            return WaitStep(until=None)
        case Held(cause=cause):
            return HeldStep(hold_message(reading_list, cause))
        case Ask():
            return AskStep(tuple(question.said(plan.say) for question in plan.closing_questions))
        case Done():
            return DoneStep()
        case Practise(practice=practice):
            first, *rest = _shown_images(place.coming[:IMAGES_AHEAD], plan)
            return PractiseStep(_prompt(plan), _practice_image(practice, plan), first, rest[0] if rest else None)
        case Read(position=position):
            image, *ahead = _shown_images(place.coming[: 1 + IMAGES_AHEAD], plan)
            return ReadStep(_prompt(plan), position, image, *_padded(ahead))
        case Teach(position=position):
            triptych, *following = (_shown_triptych(row, plan) for row in place.coming[: 1 + IMAGES_AHEAD])
            return TeachStep(_prompt(plan), position, triptych, *_padded(following))
        case _:
            assert_never(step)


def _padded(ahead: Sequence[_Shown]) -> tuple[_Shown | None, _Shown | None]:
    """Return the next image and the one after it; None if there are no more."""
    return (ahead[0] if ahead else None, ahead[1] if len(ahead) > 1 else None)


def image_format(stimulus: Stimulus, modality: Modality) -> ImageFormat:
    """Return the format of a stimulus. An adversarial image has the format of its source image."""
    hanging = modality.hang(stimulus.image.attributes)
    return ImageFormat(stimulus.columns, stimulus.rows, stimulus.bits, flip=hanging.is_mirrored)


def _shown_images(presentations: Sequence[Presentation], plan: SessionPlan) -> list[ShownImage]:
    """Return what the reader sees. In a session with an aid each image has it: KeyError rather than without."""
    if not plan.has_aid:
        return [_shown_image(row, plan) for row in presentations]
    shown = plan.aids.filter(stimulus__in=[row.stimulus_id for row in presentations])
    aids = {each.stimulus_id: ShownAid(f"{each.score:.2f}", f"{each.threshold:.2f}", each.is_above) for each in shown}
    return [_shown_image(row, plan, aids[row.stimulus_id]) for row in presentations]


def _shown_image(presentation: Presentation, plan: SessionPlan, aid: ShownAid | None = None) -> ShownImage:
    return ShownImage(
        code=presentation.code,
        format=image_format(presentation.stimulus, plan.study.cohort.modality),
        image=reverse("reader_api:image", args=[plan.study.code, presentation.code]),
        break_before=plan.rules.has_break_before(presentation.position),
        aid=aid,
    )


def _shown_triptych(presentation: Presentation, plan: SessionPlan) -> ShownTriptych:
    study, code = plan.study.code, presentation.code
    return ShownTriptych(
        code=code,
        format=image_format(presentation.stimulus, plan.study.cohort.modality),
        images={panel: reverse("reader_api:panel", args=[study, code, panel]) for panel in PANELS},
        lesson=reverse("reader_api:lesson", args=[study, code]),
        line=reverse("reader_api:line", args=[study, code]),
        break_before=plan.rules.has_break_before(presentation.position),
    )


def _practice_image(practice: Practice, plan: SessionPlan) -> ShownImage:
    return ShownImage(
        code=practice.code,
        format=image_format(practice.stimulus, plan.study.cohort.modality),
        image=reverse("reader_api:image", args=[plan.study.code, practice.code]),
        break_before=False,
    )


def _prompt(plan: SessionPlan) -> Prompt:
    rules, say = plan.rules, plan.say
    return Prompt(
        total=plan.total,
        verdicts=plan.verdicts,
        verdict_labels={verdict.value: say(rules.verdict_labels.label(verdict)) for verdict in plan.verdicts},
        questions=tuple(question.said(say) for question in rules.questions),
    )
