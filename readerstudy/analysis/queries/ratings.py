"""The verdicts of a study's blinded sessions as ratings, for programs that analyse several readers and cases."""

from itertools import count
from typing import Final

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.errors import BadInput, NotAllowed
from readerstudy.protocol.sessions import SessionKind, Verdict
from readerstudy.reading.models import Reading
from readerstudy.statistics.rating_files import Ratings, ratings_of
from readerstudy.studies.models import AnalysisExclusion, Study
from readerstudy.truth.queries import truth_of_study
from readerstudy.truth.seal import may_see_truth, require_unsealed
from readerstudy.truth.terms import Authenticity

SCORES: Final = {Verdict.REAL.value: 1, Verdict.UNSURE.value: 2, Verdict.NOT_REAL.value: 3}
_PSEUDONYM_LENGTH: Final = 12
_LIST: Final = "presentation__reading_list__"
_COLUMNS: Final = (
    f"{_LIST}enrollment__code",
    f"{_LIST}enrollment__arm__name",
    f"{_LIST}session_plan__number",
    "presentation__stimulus_id",
    "presentation__stimulus__image__fingerprint",
    "verdict",
)
_ORDER: Final = (f"{_LIST}enrollment_id", f"{_LIST}session_plan__number", "presentation__position")


def study_ratings(study: Study, person: User, *, session: int | None = None) -> Ratings:
    """Return the ratings that the report's analyses across readers use, of all blinded sessions or of one.

    The score of a verdict is 1 (real), 2 (unsure) or 3 (not real), the truth is 1 for adversarial images. A condition
    is a session; with several arms, an arm and a session. A case is the code of the source image, as in the readings,
    with its authenticity. Repeats, excluded images and readers whom the plan leaves out are not there.

    Raises StillSealed, NotAllowed for a person who may not see the truth of each image, and BadInput for a session
    without such verdicts.
    """
    require_unsealed(study)
    if not may_see_truth(study, person):
        raise NotAllowed(_("These files say which image is adversarial: that is not for you, or not yet."))
    excluded = AnalysisExclusion.objects.filter(
        withdrawn_at=None,
        allocation__session_plan=OuterRef(f"{_LIST}session_plan"),
        allocation__arm=OuterRef(f"{_LIST}enrollment__arm"),
        allocation__stimulus=OuterRef("presentation__stimulus"),
    )
    rows = Reading.objects.filter(
        ~Exists(excluded),
        presentation__reading_list__enrollment__study=study,
        presentation__reading_list__session_plan__kind=SessionKind.BLINDED,
        presentation__is_repeat=False,
        verdict__in=list(SCORES),
    )
    if study.analysis.withdrawn_readers == "leave_out":
        rows = rows.filter(presentation__reading_list__enrollment__withdrawn_at=None)
    if session is not None:
        rows = rows.filter(presentation__reading_list__session_plan__number=session)
        if not rows.exists():
            raise BadInput(_("session: session %(number)s has no verdicts to export.") % {"number": session})
    truth, has_arms, labels = truth_of_study(study), study.arms.count() > 1, _CaseLabels()
    rated = [
        (
            SCORES[verdict],
            int(truth[stimulus].authenticity == Authenticity.ADVERSARIAL),
            reader,
            labels.of(arm, stimulus, f"{fingerprint[:_PSEUDONYM_LENGTH]}-{truth[stimulus].authenticity.value}"),
            f"{arm}-{number}" if has_arms else str(number),
        )
        for reader, arm, number, stimulus, fingerprint, verdict in rows.order_by(*_ORDER).values_list(*_COLUMNS)
    ]
    score, signal, reader, case, condition = zip(*rated, strict=True) if rated else ((), (), (), (), ())
    return ratings_of(score, signal, reader, case, condition)


class _CaseLabels:
    """Labels of images. A second adversarial version of one source image in an arm gets a number."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], str] = {}
        self._taken: set[tuple[str, str]] = set()

    def of(self, arm: str, stimulus: int, base: str) -> str:
        """Return the label of an image of an arm, the same at every call."""
        if (arm, stimulus) not in self._known:
            names = (base if number == 1 else f"{base}-{number}" for number in count(1))
            label = next(name for name in names if (arm, name) not in self._taken)
            self._known[arm, stimulus] = label
            self._taken.add((arm, label))
        return self._known[arm, stimulus]
