"""How the study was carried out, as tables: who was blind to what, what is missing, and what the report is made of."""

from collections.abc import Iterator
from datetime import datetime

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from readerstudy.analysis.record.analysis_set import Analysed, analysed, state_name
from readerstudy.analysis.record.codes import by_number
from readerstudy.analysis.record.conduct import Conduct, Run, Sitting, Step
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.layout.table import Cell, Column, Kind, Table
from readerstudy.statistics.proportions import wilson
from readerstudy.studies.analysis_plan import AnalysisPlan

_NAMED = 30  # readers left out for one reason who are named


def day(at: datetime) -> str:
    """A date as people write it, in the place's own time."""
    return date_format(localtime(at), "DATE_FORMAT")


def person(step: Step) -> str:
    """Who did it, within a sentence."""
    return step.by or _("somebody at the server’s terminal")


# --- blinding -----------------------------------------------------------------------------------------------
def blinding_table(record: StudyRecord, plan: AnalysisPlan) -> Table:
    """Who could see what, from when, and what in the software sees to it."""
    return Table(
        key="blinding",
        title=_("Who was blind to what"),
        caption=_(
            "What each role could see of this study, as the software enforces it. Truth means whether a picture is "
            "real or adversarial, and the woman’s pathology."
        ),
        columns=(
            Column("who", _("Who")),
            Column("saw", _("Could see")),
            Column("blind", _("Could not see")),
            Column("by", _("What sees to it")),
        ),
        rows=(_of_readers(record), _of_coordinators(record), _of_researchers(record), _of_statistician(record)),
        notes=tuple(_blinding_notes(record)),
    )


def _of_readers(record: StudyRecord) -> tuple[Cell, ...]:
    told = sorted({one.number for one in record.sets if not one.asks})
    saw = _("The pictures of their own list, one at a time, in the drawn order and under random codes.")
    if told:
        saw += " " + _("In sessions that ask nothing (%(sessions)s) they were told what they saw.") % {
            "sessions": ", ".join(map(str, told))
        }
    return (
        _("Readers"),
        saw,
        _("The truth of any picture that they judged; how many were adversarial; other readers’ verdicts; the report."),
        _(
            "The lists were drawn from a sealed seed. The reading room’s code cannot reach the truth. Every picture "
            "was sent with the same number of bytes. A verdict could not be changed, and nobody was told whether it "
            "was right."
        ),
    )


def _of_coordinators(record: StudyRecord) -> tuple[Cell, ...]:
    closed = record.conduct.closed if record.conduct else None
    after = _("from %(day)s, when the study was closed, the verdicts") % {"day": day(closed.at)} if closed else ""
    return (
        _("Coordinators"),
        _("Who reads, how far, how long, and on what display; %(after)s.")
        % {"after": after or _("the verdicts only after the study is closed")},
        _("The truth and this study’s report, at any time; the seed; which picture stands where."),
        _("Verdicts, the seed and the pictures of the lists are hidden on every page, in its filters and in the API."),
    )


def _of_researchers(record: StudyRecord) -> tuple[Cell, ...]:
    unsealed = record.conduct.unsealed if record.conduct else None
    if unsealed:
        opened = {"day": day(unsealed.at), "who": person(unsealed), "reason": unsealed.reason}
        saw = _("As coordinators; the truth from %(day)s, when %(who)s unsealed it: “%(reason)s”") % opened
    else:
        saw = _("As coordinators; the truth only after it is unsealed.")
    return (
        _("Researchers"),
        saw,
        _("Before the unsealing: the truth of this study’s lists, any figure worked out from it, and the seed."),
        _(
            "On the pages only a researcher can unseal, only a closed study, once, and for a reason that stays on a "
            "record to which one can only add."
        ),
    )


def _of_statistician(record: StudyRecord) -> tuple[Cell, ...]:
    declared = record.conduct.is_declared if record.conduct else None
    plan = {
        True: _("The analysis plan was locked when the study was made; the database refuses to change it."),
        False: _("No analysis plan was locked: it could be chosen after the results were seen."),
        None: _("The record does not say whether an analysis plan was locked."),
    }[declared]
    return (
        _("Whoever analyses"),
        _("This report, after the unsealing; readers by their codes; before it, the report of a rehearsal."),
        _("Before the unsealing: any result. The analysis itself is not blind to which session is which."),
        plan,
    )


def _blinding_notes(record: StudyRecord) -> Iterator[str]:
    if record.is_rehearsal:
        yield _(
            "This is a rehearsal: its readers are simulated and were told the truth by the program, and its truth "
            "was open to researchers and its report to coordinators at any time."
        )
    yield _(
        "Whoever has the server’s terminal or the database can read the truth there; no software can forbid that. "
        "What is done through the software is on the record."
    )
    yield _(
        "An adversarial picture may still be known from itself: that is what the readers were asked. Whether anything "
        "beside the picture tells is what an audit of the blinding tries."
    )
    audits = record.conduct.audits if record.conduct else ()
    if not audits:
        yield _("The blinding of this study has not been audited: run the command audit_blinding.")
    for audit in audits:
        outcome = {"day": day(audit.at), "images": audit.images if audit.images is not None else "?"}
        if audit.passed:
            yield (
                _("Audited on %(day)s with %(images)s pictures: nothing beside the picture told them apart.") % outcome
            )
        else:
            yield (
                _("Audited on %(day)s with %(images)s pictures: SOMETHING beside the picture told them apart.")
                % outcome
            )


# --- what is missing ----------------------------------------------------------------------------------------
def missing_table(record: StudyRecord, plan: AnalysisPlan) -> Table:
    """Every reader and session with missing readings, with the reason where it is known."""
    rows = tuple(_missing_rows(record))
    return Table(
        key="missing",
        title=_("Exclusions and missing readings"),
        caption=_(
            "Readers and sessions with fewer readings than planned. Nobody’s readings are taken out: what was read is "
            "in every table that can hold it."
        ),
        columns=(
            Column("reader", _("Reader")),
            Column("session", _("Session")),
            Column("arm", _("Arm")),
            Column("planned", _("Planned"), Kind.COUNT),
            Column("read", pgettext("readings", "Read"), Kind.COUNT),
            Column("missing", _("Missing"), Kind.COUNT),
            Column("reason", _("Reason")),
        ),
        rows=rows,
        notes=tuple(_left_out(record, plan)),
        empty=_everything_read(record),
    )


def _missing_rows(record: StudyRecord) -> Iterator[tuple[Cell, ...]]:
    for reader in sorted(record.readers, key=by_number):
        arm = record.readers[reader]
        for one in sorted(record.sets, key=lambda one: one.number):
            if one.arm != arm:
                continue
            sitting = record.conduct.of(reader, one.number) if record.conduct else None
            planned = sitting.allocated if sitting else one.planned
            read = record.tallies.done(reader, one.number)
            if read < planned:
                yield reader, str(one.number), arm, planned, read, planned - read, _reason(sitting)


def _reason(sitting: Sitting | None) -> str:
    return state_name(sitting.state) if sitting else _("not known")


def _left_out(record: StudyRecord, plan: AnalysisPlan) -> Iterator[str]:
    """Who does not stand in the analysis across readers."""
    for arm in record.arms:
        found = analysed(record, plan, arm)
        counts = {"arm": arm, "readers": len(found.readers), "all": len(found.readers) + len(found.left_out)}
        if counts["all"]:
            yield (
                _("Arm %(arm)s: %(readers)s of %(all)s enrolled readers stand in the analysis across readers.") % counts
            )
        yield from _with_reasons(found)


def _with_reasons(found: Analysed) -> Iterator[str]:
    """One sentence for each reason: of a thousand readers many may have the same."""
    by_reason: dict[str, list[str]] = {}
    for reader, reason in found.left_out.items():
        by_reason.setdefault(reason, []).append(reader)
    for reason, readers in by_reason.items():
        names = ", ".join(readers[:_NAMED])
        if len(readers) > _NAMED:
            names += _(" and %(count)s more") % {"count": len(readers) - _NAMED}
        yield _("Left out of it: %(readers)s. %(reason)s") % {"readers": names, "reason": reason}


def _everything_read(record: StudyRecord) -> str:
    if not record.readers:
        return _("No reader is enrolled yet: enrol readers in the administration.")
    return _("Nothing is missing: every enrolled reader has read every image of every session.")


# --- times --------------------------------------------------------------------------------------------------
def grades_table(record: StudyRecord, plan: AnalysisPlan) -> Table:
    """How far the browser’s time agrees with the server’s, per reader and session."""
    sittings = [one for one in record.conduct.sittings if one.read] if record.conduct else []
    return Table(
        key="time_grades",
        title=_("Readings’ times by grade"),
        caption=_(
            # xgettext: no-python-format
            "A: the browser’s time and the server’s two stamps agree to 1 s and 2 %. B: they differ, and what happened "
            "explains it. C: they contradict each other. Beside it, how often a reading was paused, idle, or came "
            "after a long gap; returns to the session after a gap; how often the session was held; and display checks."
        ),
        columns=(
            Column("reader", _("Reader")),
            Column("session", _("Session")),
            Column("arm", _("Arm")),
            Column("a", "A", Kind.SHARE, _("Grade")),
            Column("b", "B", Kind.COUNT, _("Grade")),
            Column("c", "C", Kind.COUNT, _("Grade")),
            Column("ungraded", _("none"), Kind.COUNT, _("Grade")),
            Column("paused", _("paused"), Kind.COUNT, _("Readings")),
            Column("idle", _("idle"), Kind.COUNT, _("Readings")),
            Column("after_gap", _("after a gap"), Kind.COUNT, _("Readings")),
            Column("resumed", _("taken up again"), Kind.COUNT, _("Session")),
            Column("held", _("held"), Kind.COUNT, _("Session")),
            Column("checks_passed", _("passed"), Kind.COUNT, _("Display checks")),
            Column("checks_failed", _("failed"), Kind.COUNT, _("Display checks")),
        ),
        rows=tuple(_graded(one) for one in sittings),
        notes=(
            _("Times of every grade are in Table 4 and the other tables of times: nothing is left out for its grade."),
        ),
        empty=_("Nothing has been read yet: readers begin with session 1."),
    )


def _graded(one: Sitting) -> tuple[Cell, ...]:
    grades = one.grades
    return (
        one.reader,
        str(one.session),
        one.arm,
        wilson(grades.a, one.read - grades.none),
        grades.b,
        grades.c,
        grades.none,
        one.paused,
        one.idle,
        one.after_gap,
        one.times_resumed,
        one.times_held,
        one.checks_passed,
        one.checks_failed,
    )


# --- what the report was made from --------------------------------------------------------------------------
def sources_table(record: StudyRecord, plan: AnalysisPlan) -> Table:
    """Dates, hashes, runs and versions: what two people compare who ask whether they hold the same report."""
    return Table(
        key="sources",
        title=_("What this report was made from"),
        caption=_(
            "Hashes are SHA-256: two reports with the same ones stand on the same plan, draw and readings and were "
            "made by the same software."
        ),
        columns=(Column("what", _("What")), Column("value", _("Value"))),
        rows=tuple(_sources(record.conduct, plan)) if record.conduct else (),
        empty=_("These readings do not come from a study of this installation, so nothing is known of how they came."),
    )


def _sources(conduct: Conduct, plan: AnalysisPlan) -> Iterator[tuple[Cell, ...]]:
    for title, step in (
        (_("Study made"), conduct.created),
        (_("Study closed"), conduct.closed),
        (_("Truth unsealed"), conduct.unsealed),
    ):
        yield title, _step(step)
    yield _("Hash of the study’s plan"), conduct.hashes.plan
    yield _("Hash of the analysis plan"), plan.hash
    yield _("Hash of the draw"), conduct.hashes.draw
    yield _("Hash of the readings"), conduct.hashes.readings
    for run in conduct.generators:
        yield _("Generator"), _run(run)
    yield _("Classifier"), _run(conduct.classifier) if conduct.classifier else _("none has judged these images")
    yield _("This software"), conduct.software.version or _("no version: it runs from a folder")
    yield _("Hash of its source files"), conduct.software.source_hash
    for name, version in conduct.software.packages.items():
        yield name, version or None


def _step(step: Step | None) -> str | None:
    if step is None:
        return None
    said = _("%(day)s, by %(who)s") % {"day": day(step.at), "who": person(step)}
    return f"{said}: “{step.reason}”" if step.reason else said


def _run(run: Run) -> str:
    if not run.code_version:
        return _("%(name)s (not in the register of this installation)") % {"name": run.name}
    values = {"name": run.name, "preset": run.preset, "seed": run.seed, "code": run.code_version}
    return _("%(name)s: preset %(preset)s, seed %(seed)s, code %(code)s") % values
