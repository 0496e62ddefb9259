"""The flow of images and readings in the manner of CONSORT, as a picture and as the same numbers in a table."""

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from readerstudy.analysis.figures import Picture
from readerstudy.analysis.figures.flow_diagram import Box, Chart
from readerstudy.analysis.record.analysis_set import Analysed, analysed
from readerstudy.analysis.record.conduct import Conduct, SessionFacts
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.layout.table import Cell, Column, Kind, Table
from readerstudy.studies.analysis_plan import AnalysisPlan

_NAMED = 4  # readers left out who are named in the picture; the table of exclusions names all


def flow_picture(record: StudyRecord, plan: AnalysisPlan) -> Picture | None:
    """Cohort, splits, and for each arm its sessions and what is analysed; None where nothing is known of them."""
    conduct = record.conduct
    if conduct is None:
        return None
    chart = Chart(
        top=(_cohort(conduct),),
        splits=tuple(_split(conduct, place) for place in range(len(conduct.cohort.parts))),
        columns=tuple(tuple(_of_arm(record, conduct, plan, arm)) for arm in record.arms),
    )
    title = _("From the cohort to the analysis")
    description = " ".join(box.in_words for box in chart.boxes)
    caption = _(
        "Allocated: places on the readers’ lists. Handed out: pictures that the server gave to a reader as the current "
        "one. Every picture of a mixed session is drawn once in the whole study, as itself or as the parent of an "
        "adversarial one."
    )
    width, height = chart.size
    return Picture("flow", chart.svg(title, description), title, description, caption, width, height)


def _cohort(conduct: Conduct) -> Box:
    cohort = conduct.cohort
    lines = [_people_and_images(cohort.patients, cohort.images)]
    if malignant := sum(part.malignant_patients for part in cohort.parts):
        lines.append(_("%(count)s of the patients with a malignant finding") % {"count": malignant})
    if cohort.imports:
        left_out = cohort.imports[-1].problems
        lines.append(
            ngettext(
                "%(count)s file left out at the last import", "%(count)s files left out at the last import", left_out
            )
            % {"count": left_out}
        )
    if cohort.twins:
        made = "; ".join(f"{count} ({resolution})" for resolution, count in sorted(cohort.twins.items()))
        lines.append(_("Images with an adversarial twin, by resolution: %(made)s") % {"made": made})
    return Box(_("Cohort %(name)s") % {"name": cohort.name}, tuple(lines))


def _split(conduct: Conduct, place: int) -> Box:
    part = conduct.cohort.parts[place]
    return Box(split_title(part.split), (_people_and_images(part.patients, part.images),))


def split_title(split: str) -> str:
    return {"train": _("Training split"), "tuning": _("Tuning split"), "test": _("Test split")}.get(split, split)


def _people_and_images(patients: int, images: int) -> str:
    people = ngettext("%(count)s patient", "%(count)s patients", patients) % {"count": patients}
    pictures = ngettext("%(count)s image", "%(count)s images", images) % {"count": images}
    return f"{people}, {pictures}"


def _of_arm(record: StudyRecord, conduct: Conduct, plan: AnalysisPlan, arm: str) -> Iterator[Box]:
    drawn = sum(conduct.drawn_for(arm, one.number) for one in conduct.sessions)
    enrolled = sum(own == arm for own in record.readers.values())
    lines = (
        _("Drawn: %(drawn)s") % {"drawn": _people_and_images(conduct.patients_drawn.get(arm, 0), drawn)},
        ngettext("%(count)s reader enrolled", "%(count)s readers enrolled", enrolled) % {"count": enrolled},
    )
    yield Box(_("Arm %(arm)s") % {"arm": arm}, lines)
    for session in conduct.sessions:
        yield _session(conduct, arm, session)
    yield _analysed(analysed(record, plan, arm), plan)


def _session(conduct: Conduct, arm: str, session: SessionFacts) -> Box:
    totals = conduct.totals(arm, session.number)
    parts = [one for one in conduct.drawn if (one.arm, one.session) == (arm, session.number)]
    splits = ", ".join(f"{split_title(one.split)} {one.images}" for one in parts)
    images = conduct.drawn_for(arm, session.number)
    count = ngettext("%(count)s image each", "%(count)s images each", images) % {"count": images}
    return Box(
        _("Session %(number)s. %(title)s") % {"number": session.number, "title": _(session.title)},
        (
            f"{count} ({splits})" if splits else count,
            _("Readers: %(begun)s began, %(finished)s finished") % {"begun": totals.begun, "finished": totals.finished},
            _("Allocated %(allocated)s, handed out %(presented)s, read %(read)s, missing %(missing)s")
            % {
                "allocated": totals.allocated,
                "presented": totals.presented,
                "read": totals.read,
                "missing": totals.missing,
            },
        ),
    )


def _analysed(found: Analysed, plan: AnalysisPlan) -> Box:
    readers = ngettext("%(count)s reader", "%(count)s readers", len(found.readers)) % {"count": len(found.readers)}
    lines = [_("%(readers)s, %(readings)s readings") % {"readers": readers, "readings": found.readings}]
    if not found.is_possible:
        lines.append(_("Fewer than two readers: not analysed across readers"))
    if found.left_out:
        names = list(found.left_out)
        more = len(names) - _NAMED
        shown = ", ".join(names[:_NAMED]) + (_(" and %(count)s more") % {"count": more} if more > 0 else "")
        lines.append(_("Left out: %(count)s (%(names)s)") % {"count": len(names), "names": shown})
        lines += [
            f"{count} × {reason}"
            for reason, count in sorted(_reasons(found).items(), key=lambda item: -item[1])[:_NAMED]
        ]
    title = _("Analysed across readers: session %(after)s against %(before)s")
    return Box(title % {"after": plan.after, "before": plan.before}, tuple(lines))


def _reasons(found: Analysed) -> dict[str, int]:
    counts: dict[str, int] = {}
    for reason in found.left_out.values():
        counts[reason] = counts.get(reason, 0) + 1
    return counts


# --- the same as a table ------------------------------------------------------------------------------------
def flow_table(record: StudyRecord, plan: AnalysisPlan) -> Table:
    """The numbers of the picture."""
    readings = _("Readings")
    return Table(
        key="flow_table",
        title=_("From the cohort to the analysis, in numbers"),
        caption=_("The numbers of the flow chart. Readers and readings are added up over the readers of an arm."),
        columns=(
            Column("stage", _("Stage")),
            Column("arm", _("Arm")),
            Column("session", _("Session")),
            Column("patients", _("Patients"), Kind.COUNT),
            Column("images", _("Images"), Kind.COUNT),
            Column("enrolled", _("enrolled"), Kind.COUNT, _("Readers")),
            Column("began", _("began"), Kind.COUNT, _("Readers")),
            Column("finished", _("finished"), Kind.COUNT, _("Readers")),
            Column("analysed", _("analysed"), Kind.COUNT, _("Readers")),
            Column("allocated", _("allocated"), Kind.COUNT, readings),
            Column("presented", _("handed out"), Kind.COUNT, readings),
            Column("read", _("read"), Kind.COUNT, readings),
            Column("missing", _("missing"), Kind.COUNT, readings),
        ),
        rows=tuple(_rows(record, record.conduct, plan)) if record.conduct else (),
        empty=_("These readings do not come from a study of this installation, so nothing is known of how they came."),
    )


def _rows(record: StudyRecord, conduct: Conduct, plan: AnalysisPlan) -> Iterator[tuple[Cell, ...]]:
    cohort = conduct.cohort
    nothing = (None,) * 8
    yield (_("Cohort"), "", "", cohort.patients, cohort.images, *nothing)
    if cohort.imports:
        yield (_("Left out at the last import"), "", "", None, cohort.imports[-1].problems, *nothing)
    for part in cohort.parts:
        yield (split_title(part.split), "", "", part.patients, part.images, *nothing)
    for arm in record.arms:
        for session in conduct.sessions:
            yield _row_of_session(conduct, arm, session.number)
        found = analysed(record, plan, arm)
        sessions = (plan.before, plan.after)
        images = sum(conduct.drawn_for(arm, session) for session in sessions)
        enrolled = len(found.readers) + len(found.left_out)
        readers = (enrolled, None, None, len(found.readers))
        head = (_("Analysed across readers"), arm, " / ".join(map(str, sessions)), None, images)
        yield (*head, *readers, None, None, found.readings, None)


def _row_of_session(conduct: Conduct, arm: str, number: int) -> tuple[Cell, ...]:
    totals = conduct.totals(arm, number)
    # The splits are by patient, so patients of two splits are different ones.
    patients = sum(one.patients for one in conduct.drawn if (one.arm, one.session) == (arm, number))
    readers = (totals.readers, totals.begun, totals.finished, None)
    readings = (totals.allocated, totals.presented, totals.read, totals.missing)
    return (_("Drawn and read"), arm, str(number), patients, conduct.drawn_for(arm, number), *readers, *readings)
