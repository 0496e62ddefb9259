"""The seal: every rule that decides who may see which truth, and when an image may be shown with its truth.

Pages, API and report call these predicates and do not compare a study's status themselves.

A study is sealed from its draft to its unsealing. A rehearsal is never sealed, because simulated readers complete it
with the truth in hand, on a draw of its own.

Two facts that packages below `truth` need are properties of `Study`: `is_sealed` and `shows_verdicts`.
`docs/explanation/blinding.md` lists each rule with its callers.
"""

from collections.abc import Sequence

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from readerstudy.accounts.models import Role, User
from readerstudy.errors import StudyError
from readerstudy.protocol.sessions import SessionKind
from readerstudy.studies.access import is_researcher_of, role_in, studies_of
from readerstudy.studies.lifecycle import REVEALED
from readerstudy.studies.models import Allocation, Draw, Presentation, Study
from readerstudy.truth.seeds import is_drawn_elsewhere, seed_of, seed_of_earlier


class StillSealed(StudyError):
    """The study is sealed, so nothing that depends on the truth may be computed or shown."""

    def __init__(self, study: Study) -> None:
        if study.shows_verdicts:
            text = _("The study %(study)s is still sealed, so there is no report: unseal it first.")
        else:
            text = _("The study %(study)s is still sealed, so there is no report: close it, then unseal it first.")
        super().__init__(text % {"study": study.code})


class StudyStillOpen(StudyError):
    """The study is not closed, so nobody may see verdicts."""

    def __init__(self, study: Study) -> None:
        text = _(
            "The study %(study)s is %(state)s: its readings are shown once it is closed. Until then its page shows how "
            "far each reader is."
        )
        super().__init__(text % {"study": study.code, "state": study.state})


class StillInReading(StudyError):
    """Another study shows the same images or patients, and its readers may still read them."""

    def __init__(self, study: Study, others: Sequence[Study], *, told_to: User | None) -> None:
        own = None if told_to is None else set(studies_of(told_to).values_list("pk", flat=True))
        named = [each.code for each in others if own is None or each.pk in own]
        if hidden := len(others) - len(named):
            named.append(_("another study") if hidden == 1 else _("other studies"))
        text = _("%(study)s cannot be unsealed yet: images of its patients are still being read in %(others)s.")
        super().__init__(text % {"study": study.code, "others": ", ".join(named)})


# --- studies ------------------------------------------------------------------------------------------------
def require_unsealed(study: Study) -> None:
    """Raise StillSealed if the study is sealed. Everything that joins a study with its truth calls this first."""
    if study.is_sealed:
        raise StillSealed(study)


def require_nothing_in_reading(study: Study, *, told_to: User | None) -> None:
    """Raise StillInReading while another study with images or patients of this one is read, or is still to be read.

    The truth of the one would be that of the other. The sentence names a study only to people who take part in it.
    A rehearsal may be unsealed at any time: `may_see_truth` hides the rows that name its images as long.
    """
    if not study.is_rehearsal and (others := list(study.studies_in_reading())):
        raise StillInReading(study, others, told_to=told_to)


def require_verdicts_visible(study: Study) -> None:
    """Raise StudyStillOpen while readers may still read: verdicts on an image could influence those to come."""
    if not study.shows_verdicts:
        raise StudyStillOpen(study)


def revealed_seed(drawn: Study | Draw) -> int | None:
    """Return the seed of a study's draw, or of one that was replaced; None while it is hidden.

    With it the plan can be drawn again, in the same order. It stays hidden until the study and every study of the same
    draw (the other resolution) are unsealed, and while a study with some of its images or patients is read. Unlike the
    report, it is hidden for a rehearsal as well, until that is unsealed.
    """
    study = drawn if isinstance(drawn, Study) else drawn.study
    if not study.is_unsealed or study.studies_in_reading().exists():
        return None
    seed = seed_of(drawn) if isinstance(drawn, Study) else seed_of_earlier(drawn)
    return None if seed is None or is_drawn_elsewhere(seed, study) else seed


def require_rehearsal(study: Study) -> None:
    """Raise StudyError unless the study is a rehearsal: only simulated readers may get the truth while they read."""
    if not study.is_rehearsal:
        text = _("The study %(study)s is not a rehearsal: nobody may read it with the truth in hand.")
        raise StudyError(text % {"study": study.code})


def sealed_studies() -> QuerySet[Study]:
    """Return the sealed studies; the same rule as `Study.is_sealed`, for queries."""
    return Study.objects.filter(is_rehearsal=False).exclude(status__in=REVEALED)


# --- people -------------------------------------------------------------------------------------------------
def may_see_truth(study: Study, person: User) -> bool:
    """Return whether the person may see the truth of each reading: a researcher of the study, once it is unsealed.

    Stricter than the report, because these rows name images: a rehearsal must be unsealed too, and no sealed study may
    show its images.
    """
    if study.is_rehearsal and images_are_sealed_elsewhere(study):
        return False
    return study.is_unsealed and is_researcher_of(study, person)


def may_see_report(study: Study, person: User) -> bool:
    """Return whether the person may open the report page of a study, sealed or not.

    The report reveals the truth, so it is for the study's researchers. Its coordinators see rehearsals, which reveal no
    study's draw.
    Whether there is a report is another rule: `require_unsealed`.
    """
    role = role_in(study, person)
    return role == Role.RESEARCHER or (role == Role.COORDINATOR and study.is_rehearsal)


def may_see_tells(person: User) -> bool:
    """Return whether the person may see what gives imported adversarial images away.

    It names no image, but a reader who knows the traces would look for them: researchers only.
    """
    return person.is_researcher


def may_write_lines(study: Study, person: User) -> bool:
    """Return whether the person may see the pairs of a study's education and write a line under each: its researchers.

    Sealed or not: every reader is shown these pairs with their truth, and no verdict is given on them. A coordinator,
    who talks to readers, learns no more of them than before.
    """
    return is_researcher_of(study, person)


# --- images -------------------------------------------------------------------------------------------------
def may_show_images_of_cohort(cohort: str) -> bool:
    """Return whether no sealed study draws from the cohort with this name.

    The rule for pages that show images with their truth and are kept as files: the report's gallery and the sample
    pictures of a training run. Neither can be filtered image by image later, so one sealed study hides all of them.
    """
    return not sealed_studies().filter(cohort__name=cohort).exists()


def in_no_sealed_study(image: str) -> Q:
    """Return a condition for querysets: no sealed study shows the image at this path, at any resolution.

    The rule for lists that are computed for each request, such as the lab's gallery. It is by image, not by stimulus,
    so that neither the real nor any adversarial version of an image in a sealed study is shown.
    """
    shown = Allocation.objects.filter(
        session_plan__study__in=sealed_studies().values("pk"), stimulus__image=OuterRef(image)
    )
    return ~Q(Exists(shown))


def in_lessons_only(image: str) -> Q:
    """Return a condition for querysets: of all sessions of sealed studies, at most educational ones show the image.

    The rule for researchers who write lines under triptychs: both versions of an image may be seen unless a reader
    judges one of them in a sealed study, at any resolution.
    """
    judged = Allocation.objects.filter(
        session_plan__study__in=sealed_studies().values("pk"), stimulus__image=OuterRef(image)
    )
    return ~Q(Exists(judged.exclude(session_plan__kind=SessionKind.EDUCATION)))


def images_are_sealed_elsewhere(study: Study) -> bool:
    """Return whether a sealed study shows images of this one, at any resolution.

    The rule for files that leave the installation, in which images of the sealed study would be recognised by their
    hashes, and for the readings of rehearsals.
    """
    own = Allocation.objects.filter(session_plan__study=study).values("stimulus__image")
    elsewhere = Allocation.objects.filter(session_plan__study__in=sealed_studies().exclude(pk=study.pk).values("pk"))
    return elsewhere.filter(stimulus__image__in=own).exists()


def may_show_triptych(presentation: Presentation) -> bool:
    """Return whether the presentation shows its reader the truth: only in an educational session.

    The caller restricts this to the reader's current presentation and the next two.
    """
    return presentation.reading_list.session_plan.kind == SessionKind.EDUCATION
