"""The flow of images and readings (CONSORT), as a figure and as a table."""

from collections import Counter
from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from readerstudy.analysis.figures import Picture
from readerstudy.analysis.figures.flow_diagram import FlowBox, FlowDiagram
from readerstudy.analysis.record.analysis_set import AnalysisSet, analysis_set
from readerstudy.analysis.record.conduct import SessionFacts, SplitCounts, StudyConduct
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.wording import same_images_sentences
from readerstudy.layout.table import Cell, Column, Kind, Table
from readerstudy.modalities.words import ReportWords
from readerstudy.protocol.analysis_plan import AnalysisPlan

_MOST_NAMED = 4  # excluded readers named in the figure; the table of exclusions names all


def flow_picture(record: StudyRecord, plan: AnalysisPlan) -> Picture | None:
    """Return the figure: cohort, splits, and for each arm its sessions and the analysis set; None without conduct."""
    conduct = record.conduct
    if conduct is None:
        return None
    diagram = FlowDiagram(
        top=(_cohort_box(conduct, record.modality.words.report),),
        splits=tuple(map(_split_box, conduct.cohort.splits)),
        columns=tuple(tuple(_arm_boxes(record, conduct, plan, arm)) for arm in record.arms),
    )
    title = _("From the cohort to the analysis")
    description = " ".join(box.description for box in diagram.boxes)
    caption = _(
        "Allocated: positions on the readers’ lists. Shown: images that the server presented to a reader. Every image "
        "of a mixed session is drawn once in the whole study, either as a real image or as the source of an "
        "adversarial one."
    )
    caption = " ".join((caption, *same_images_sentences(record)))
    width, height = diagram.size
    return Picture("flow", diagram.svg(title, description), title, description, caption, width, height)


def _cohort_box(conduct: StudyConduct, words: ReportWords) -> FlowBox:
    cohort = conduct.cohort
    lines = [_patients_and_images(cohort.patients, cohort.images)]
    if positives := sum(split.positive_patients for split in cohort.splits):
        lines.append(words.patients_with_finding % {"count": positives})
    if cohort.imports:
        excluded = cohort.imports[-1].problems
        sentence = ngettext(
            "%(count)s file excluded at the last import", "%(count)s files excluded at the last import", excluded
        )
        lines.append(sentence % {"count": excluded})
    if cohort.adversarial_images:
        counts = "; ".join(f"{count} ({resolution})" for resolution, count in sorted(cohort.adversarial_images.items()))
        lines.append(_("Images with an adversarial version, by resolution: %(counts)s") % {"counts": counts})
    return FlowBox(_("Cohort %(name)s") % {"name": cohort.name}, tuple(lines))


def _split_box(split: SplitCounts) -> FlowBox:
    return FlowBox(split_title(split.split), (_patients_and_images(split.patients, split.images),))


def split_title(split: str) -> str:
    """Return the name of a split."""
    return {"train": _("Training split"), "tuning": _("Tuning split"), "test": _("Test split")}.get(split, split)


def _patients_and_images(patients: int, images: int) -> str:
    patient_count = ngettext("%(count)s patient", "%(count)s patients", patients) % {"count": patients}
    image_count = ngettext("%(count)s image", "%(count)s images", images) % {"count": images}
    return f"{patient_count}, {image_count}"


def _arm_boxes(record: StudyRecord, conduct: StudyConduct, plan: AnalysisPlan, arm: str) -> Iterator[FlowBox]:
    own = (each.number for each in record.sets_of_arm(arm) if not each.images_of)
    images = sum(conduct.images_drawn(arm, number) for number in own)
    enrolled = record.enrolled_in_arm(arm)
    lines = [
        _("Drawn: %(drawn)s") % {"drawn": _patients_and_images(conduct.patients_drawn.get(arm, 0), images)},
        ngettext("%(count)s reader enrolled", "%(count)s readers enrolled", enrolled) % {"count": enrolled},
        *_withdrawn_lines(record, arm),
    ]
    yield FlowBox(_("Arm %(arm)s") % {"arm": arm}, tuple(lines))
    for session in conduct.sessions:
        yield _session_box(conduct, arm, session)
    yield _analysis_box(analysis_set(record, plan, arm), plan)


def _withdrawn_lines(record: StudyRecord, arm: str) -> Iterator[str]:
    """Yield a line on the withdrawn readers; the sessions below count those whose readings are kept."""
    withdrawn = [each for each in record.withdrawn if each.arm == arm]
    if not withdrawn:
        return
    names = ", ".join(each.reader for each in withdrawn[:_MOST_NAMED])
    if len(withdrawn) > _MOST_NAMED:
        names += _(" and %(count)s more") % {"count": len(withdrawn) - _MOST_NAMED}
    left_out = _("Withdrawn and left out: %(count)s (%(names)s)")
    kept = _("Withdrawn, readings until then kept: %(count)s (%(names)s)")
    yield (left_out if withdrawn[0].is_left_out else kept) % {"count": len(withdrawn), "names": names}


def _session_box(conduct: StudyConduct, arm: str, session: SessionFacts) -> FlowBox:
    totals = conduct.totals(arm, session.number)
    splits = ", ".join(f"{split_title(draw.split)} {draw.images}" for draw in conduct.draws(arm, session.number))
    images = conduct.images_drawn(arm, session.number)
    count = ngettext("%(count)s image each", "%(count)s images each", images) % {"count": images}
    readers = _("Readers: %(begun)s started, %(finished)s finished")
    readings = _("Allocated %(allocated)s, shown %(presented)s, read %(read)s, missing %(missing)s")
    return FlowBox(
        _("Session %(number)s. %(title)s") % {"number": session.number, "title": _(session.title)},
        (
            f"{count} ({splits})" if splits else count,
            readers % {"begun": totals.begun, "finished": totals.finished},
            readings
            % {
                "allocated": totals.allocated,
                "presented": totals.presented,
                "read": totals.read,
                "missing": totals.missing,
            },
        ),
    )


def _analysis_box(included: AnalysisSet, plan: AnalysisPlan) -> FlowBox:
    count = len(included.readers)
    readers = ngettext("%(count)s reader", "%(count)s readers", count) % {"count": count}
    lines = [_("%(readers)s, %(readings)s readings") % {"readers": readers, "readings": included.readings}]
    if not included.is_analysable:
        lines.append(_("Fewer than two readers: no MRMC analysis"))
    if included.excluded:
        names = list(included.excluded)
        more = len(names) - _MOST_NAMED
        shown = ", ".join(names[:_MOST_NAMED]) + (_(" and %(count)s more") % {"count": more} if more > 0 else "")
        lines.append(_("Excluded: %(count)s (%(names)s)") % {"count": len(names), "names": shown})
        reasons = Counter(included.excluded.values()).most_common(_MOST_NAMED)
        lines += [f"{count} × {reason}" for reason, count in reasons]
    title = _("MRMC analysis: session %(after)s against %(before)s")
    return FlowBox(title % {"after": plan.after, "before": plan.before}, tuple(lines))


def flow_table(record: StudyRecord, plan: AnalysisPlan) -> Table:
    """Return the numbers of the figure, one row per box."""
    readers, readings = _("Readers"), _("Readings")
    return Table(
        key="flow_table",
        title=_("From the cohort to the analysis, in numbers"),
        caption=_("The numbers of the flow diagram. Readers and readings are sums over the readers of an arm."),
        columns=(
            Column("stage", _("Stage")),
            Column("arm", _("Arm")),
            Column("session", _("Session")),
            Column("patients", _("Patients"), Kind.COUNT),
            Column("images", _("Images"), Kind.COUNT),
            Column("enrolled", _("enrolled"), Kind.COUNT, readers),
            Column("began", _("started"), Kind.COUNT, readers),
            Column("finished", _("finished"), Kind.COUNT, readers),
            Column("analysed", _("analysed"), Kind.COUNT, readers),
            Column("allocated", _("allocated"), Kind.COUNT, readings),
            Column("presented", _("shown"), Kind.COUNT, readings),
            Column("read", _("read"), Kind.COUNT, readings),
            Column("missing", _("missing"), Kind.COUNT, readings),
        ),
        rows=tuple(_rows(record, record.conduct, plan)) if record.conduct else (),
        empty=_("These readings are not from a study of this installation, so their provenance is unknown."),
    )


def _rows(record: StudyRecord, conduct: StudyConduct, plan: AnalysisPlan) -> Iterator[tuple[Cell, ...]]:
    cohort = conduct.cohort
    no_readers_or_readings = (None,) * 8
    yield (_("Cohort"), "", "", cohort.patients, cohort.images, *no_readers_or_readings)
    if cohort.imports:
        excluded = cohort.imports[-1].problems
        yield (_("Excluded at the last import"), "", "", None, excluded, *no_readers_or_readings)
    for split in cohort.splits:
        yield (split_title(split.split), "", "", split.patients, split.images, *no_readers_or_readings)
    for arm in record.arms:
        if withdrawn := [each for each in record.withdrawn if each.arm == arm]:
            stage = _("Withdrawn and left out") if withdrawn[0].is_left_out else _("Withdrawn, readings kept")
            yield (stage, arm, "", None, None, len(withdrawn), *(None,) * 5, sum(each.read for each in withdrawn), None)
        for session in conduct.sessions:
            yield _session_row(conduct, arm, session.number)
        yield _analysis_row(record, conduct, analysis_set(record, plan, arm), plan)


def _session_row(conduct: StudyConduct, arm: str, number: int) -> tuple[Cell, ...]:
    totals = conduct.totals(arm, number)
    # Splits are by patient, so patients of different splits are different patients.
    patients = sum(draw.patients for draw in conduct.draws(arm, number))
    readers = (totals.readers, totals.begun, totals.finished, None)
    readings = (totals.allocated, totals.presented, totals.read, totals.missing)
    return (_("Drawn and read"), arm, str(number), patients, conduct.images_drawn(arm, number), *readers, *readings)


def _analysis_row(
    record: StudyRecord, conduct: StudyConduct, included: AnalysisSet, plan: AnalysisPlan
) -> tuple[Cell, ...]:
    sessions = (plan.before, plan.after)
    own = sessions[:1] if record.show_same_images(*sessions) else sessions
    images = sum(conduct.images_drawn(included.arm, session) for session in own)
    enrolled = len(included.readers) + len(included.excluded)
    readers = (enrolled, None, None, len(included.readers))
    readings = (None, None, included.readings, None)
    return (
        _("MRMC analysis"),
        included.arm,
        " / ".join(map(str, sessions)),
        None,
        images,
        *readers,
        *readings,
    )
