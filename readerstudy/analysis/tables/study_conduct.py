"""Tables of study conduct: blinding, exclusions and missing readings, grades of times, and provenance."""

from collections.abc import Iterator
from datetime import datetime

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from readerstudy.analysis.record.analysis_set import AnalysisSet, analysis_set, state_name
from readerstudy.analysis.record.codes import reader_sort_key
from readerstudy.analysis.record.conduct import (
    AttackRun,
    AuditResult,
    NetworkRun,
    ReaderSession,
    StudyConduct,
    StudyEvent,
)
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.wording import labelled_pairs_sentence, person_of
from readerstudy.experiments.attack_words import attack_words
from readerstudy.layout.table import Cell, Column, Kind, Table
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.statistics.proportions import wilson

_MOST_NAMED = 30  # excluded readers named per reason; others are counted


def format_day(at: datetime) -> str:
    """Return a date in the local time zone and the language's format."""
    return date_format(localtime(at), "DATE_FORMAT")


# --- blinding -----------------------------------------------------------------------------------------------
def blinding_table(record: StudyRecord, plan: AnalysisPlan) -> Table:
    """Return what each role could and could not see, and how it is ensured."""
    return Table(
        key="blinding",
        title=_("Blinding"),
        caption=_(
            "What each role could see of this study, as enforced by the software. Truth means whether an image is real "
            "or adversarial, and the patient’s pathology."
        ),
        columns=(
            Column("who", _("Role")),
            Column("saw", _("Could see")),
            Column("blind", _("Could not see")),
            Column("by", _("Ensured by")),
        ),
        rows=(_reader_row(record), _coordinator_row(record), _researcher_row(record), _analyst_row(record)),
        notes=tuple(_blinding_notes(record)),
    )


def _reader_row(record: StudyRecord) -> tuple[Cell, ...]:
    visible = _("The images of their own list, one at a time, in the drawn order and under random codes.")
    unblinded = sorted({image_set.number for image_set in record.image_sets if not image_set.asks_for_verdict})
    if unblinded:
        visible += " " + _("In sessions without verdicts (%(sessions)s), the truth of the images shown.") % {
            "sessions": ", ".join(map(str, unblinded))
        }
    if record.aided_sessions:
        visible += " " + _("In sessions with an aid (%(sessions)s), a classifier’s score of each image.") % {
            "sessions": ", ".join(map(str, record.aided_sessions))
        }
    return (
        _("Readers"),
        visible,
        _(
            "The truth of any image that they judged; the number of adversarial images; other readers’ verdicts; the "
            "report."
        ),
        _(
            "The lists were drawn from a sealed seed. The reading pages have no access to the truth. Every image was "
            "sent with the same number of bytes. Verdicts could not be changed, and there was no feedback."
        ),
    )


def _coordinator_row(record: StudyRecord) -> tuple[Cell, ...]:
    closed = record.conduct.closed if record.conduct else None
    verdicts = (
        _("the verdicts from %(day)s, when the study was closed") % {"day": format_day(closed.at)}
        if closed
        else _("the verdicts only after the study is closed")
    )
    return (
        _("Coordinators"),
        _("Readers, their progress, reading times and displays; %(verdicts)s.") % {"verdicts": verdicts},
        _("The truth, this study’s report, the seed, and the positions of images, at any time."),
        _("Verdicts, the seed and the images of the lists are hidden on every page, in its filters and in the API."),
    )


def _researcher_row(record: StudyRecord) -> tuple[Cell, ...]:
    unsealed = record.conduct.unsealed if record.conduct else None
    if unsealed:
        visible = _("As coordinators; the truth from %(day)s, when %(who)s unsealed it: “%(reason)s”") % {
            "day": format_day(unsealed.at),
            "who": person_of(unsealed),
            "reason": unsealed.reason,
        }
    else:
        visible = _("As coordinators; the truth only after the unsealing.")
    return (
        _("Researchers"),
        visible,
        _("Before the unsealing: the truth of this study’s lists, any result computed from it, and the seed."),
        _(
            "Only a researcher can unseal a study on the pages, only once it is closed, only once, and with a reason "
            "that is kept in an append-only log."
        ),
    )


def _analyst_row(record: StudyRecord) -> tuple[Cell, ...]:
    declared = record.conduct.is_declared if record.conduct else None
    plan = {
        True: _("The analysis plan was locked when the study was created; the database rejects changes."),
        False: _("No analysis plan was locked: it could have been chosen after the results were known."),
        None: _("It is not recorded whether an analysis plan was locked."),
    }[declared]
    return (
        _("Analysts"),
        _("This report, after the unsealing, with readers by their codes; before that, the report of a rehearsal."),
        _("Before the unsealing: any result. The analysis itself is not blinded to the order of the sessions."),
        plan,
    )


def _blinding_notes(record: StudyRecord) -> Iterator[str]:
    if record.is_rehearsal:
        yield _(
            "This is a rehearsal: the program gave the truth to its simulated readers. Its truth was visible to "
            "researchers, and its report to coordinators, at any time."
        )
    yield _(
        "Anyone with access to the server’s terminal or database can read the truth there; software cannot prevent "
        "that. Actions through the software are logged."
    )
    yield _(
        "An adversarial image may still be recognised by its appearance: that is the question of the study. An audit "
        "of the blinding tests whether anything other than the image reveals it."
    )
    if sentence := labelled_pairs_sentence(record):
        yield sentence
    audits = record.conduct.audits if record.conduct else ()
    if not audits:
        yield _("The blinding of this study has not been audited. Run the command audit_blinding.")
    yield from map(_audit_sentence, audits)


def _audit_sentence(audit: AuditResult) -> str:
    if audit.passed:
        sentence = _("Audited on %(day)s with %(images)s images: nothing other than the image revealed the truth.")
    else:
        sentence = _("Audited on %(day)s with %(images)s images: SOMETHING other than the image revealed the truth.")
    return sentence % {"day": format_day(audit.at), "images": "?" if audit.images is None else audit.images}


# --- exclusions and missing readings ------------------------------------------------------------------------
def missing_table(record: StudyRecord, plan: AnalysisPlan) -> Table:
    """Return every reader and session with missing readings, with the reason if it is known."""
    return Table(
        key="missing",
        title=_("Exclusions and missing readings"),
        caption=_(
            "Readers and sessions with fewer readings than planned. Readings are in every table to which they can "
            "contribute, except those of images that were excluded before the unsealing; these are listed below."
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
        rows=tuple(_missing_rows(record)),
        notes=(*_exclusion_sentences(record, plan), *_withdrawal_sentences(record), *_excluded_images(record)),
        empty=_nothing_missing(record),
    )


def _missing_rows(record: StudyRecord) -> Iterator[tuple[Cell, ...]]:
    for reader in sorted(record.readers, key=reader_sort_key):
        arm = record.readers[reader]
        for image_set in record.sets_of_arm(arm):
            session = image_set.number
            reader_session = record.conduct.reader_session(reader, session) if record.conduct else None
            planned = reader_session.allocated - image_set.excluded if reader_session else image_set.planned
            read = record.readings.number_read(reader, session)
            if read < planned:
                reason = _reason_missing(record, reader, reader_session)
                yield reader, str(session), arm, planned, read, planned - read, reason


def _reason_missing(record: StudyRecord, reader: str, reader_session: ReaderSession | None) -> str:
    if reader_session is None:
        return _("unknown")
    state = state_name(reader_session.state)
    return _("withdrawn; %(state)s") % {"state": state} if record.withdrawal(reader) else state


def _exclusion_sentences(record: StudyRecord, plan: AnalysisPlan) -> Iterator[str]:
    """Yield the number of readers in the MRMC analysis of each arm, and the exclusions by reason."""
    for arm in record.arms:
        included = analysis_set(record, plan, arm)
        enrolled = record.enrolled_in_arm(arm)
        if enrolled:
            sentence = _("Arm %(arm)s: %(readers)s of %(all)s enrolled readers are included in the MRMC analysis.")
            yield sentence % {"arm": arm, "readers": len(included.readers), "all": enrolled}
        yield from _reason_sentences(included)


def _reason_sentences(included: AnalysisSet) -> Iterator[str]:
    """Yield one sentence per reason, because many readers can share it."""
    by_reason: dict[str, list[str]] = {}
    for reader, reason in included.excluded.items():
        by_reason.setdefault(reason, []).append(reader)
    for reason, readers in by_reason.items():
        names = ", ".join(readers[:_MOST_NAMED])
        if len(readers) > _MOST_NAMED:
            names += _(" and %(count)s more") % {"count": len(readers) - _MOST_NAMED}
        yield _("Excluded: %(readers)s. %(reason)s") % {"readers": names, "reason": reason}


def _withdrawal_sentences(record: StudyRecord) -> Iterator[str]:
    """Yield a sentence per withdrawn reader: when, why, and what becomes of their readings."""
    for each in record.withdrawn:
        values = {"reader": each.reader, "day": format_day(each.at), "reason": each.reason, "readings": each.read}
        if each.is_own_decision:
            sentence = _("%(reader)s withdrew their consent on %(day)s.")
        else:
            sentence = _("%(reader)s was withdrawn on %(day)s: “%(reason)s”")
        if each.is_left_out:
            rule = _("Their %(readings)s readings are left out of every table, as planned.")
        else:
            rule = _("Their %(readings)s readings until then are kept, as planned.")
        parts = [sentence % values, rule % values]
        if each.replaced_by:
            parts.append(_("Replaced by %(reader)s.") % {"reader": each.replaced_by})
        yield " ".join(parts)


def _excluded_images(record: StudyRecord) -> Iterator[str]:
    """Yield one sentence per image that the analysis leaves out."""
    for each in record.conduct.excluded if record.conduct else ():
        yield _("Excluded: one image of session %(session)s (arm %(arm)s), on %(day)s by %(who)s: “%(reason)s”") % {
            "session": each.session,
            "arm": each.arm,
            "day": format_day(each.at),
            "who": each.by or _("a person at the server’s terminal"),
            "reason": each.reason,
        }


def _nothing_missing(record: StudyRecord) -> str:
    if not record.readers:
        return _("No readers are enrolled yet. Enrol readers in the administration.")
    return _("No readings are missing: every enrolled reader has read every image of every session.")


# --- times --------------------------------------------------------------------------------------------------
def grades_table(record: StudyRecord, plan: AnalysisPlan) -> Table:
    """Return how far the times of browser and server agree, per reader and session."""
    reader_sessions = [each for each in record.conduct.reader_sessions if each.read] if record.conduct else []
    grade, readings, session, checks = _("Grade"), _("Readings"), _("Session"), _("Display checks")
    return Table(
        key="time_grades",
        title=_("Grades of reading times"),
        caption=_(
            # xgettext: no-python-format
            "A: the browser’s time agrees with the two time stamps of the server within 1 s and 2 %. B: they differ, "
            "and the recorded events explain it. C: they contradict each other. Also: readings that were paused, idle "
            "or after a long gap; returns to the session after a gap; how often the session was put on hold; and "
            "display checks."
        ),
        columns=(
            Column("reader", _("Reader")),
            Column("session", _("Session")),
            Column("arm", _("Arm")),
            Column("a", "A", Kind.COUNT, grade),
            Column("b", "B", Kind.COUNT, grade),
            Column("c", "C", Kind.COUNT, grade),
            Column("ungraded", _("none"), Kind.COUNT, grade),
            Column("a_share", _("share of A"), Kind.SHARE, grade),
            Column("paused", _("paused"), Kind.COUNT, readings),
            Column("idle", _("idle"), Kind.COUNT, readings),
            Column("after_gap", _("after a gap"), Kind.COUNT, readings),
            Column("resumed", _("resumed"), Kind.COUNT, session),
            Column("held", _("on hold"), Kind.COUNT, session),
            Column("checks_passed", _("passed"), Kind.COUNT, checks),
            Column("checks_failed", _("failed"), Kind.COUNT, checks),
        ),
        rows=tuple(_grade_row(each) for each in reader_sessions),
        notes=(_("Times of every grade are used in Table 4 and in the other tables of times."),),
        empty=_("There are no readings yet. Readers start with session 1."),
    )


def _grade_row(each: ReaderSession) -> tuple[Cell, ...]:
    grades = each.grades
    return (
        each.reader,
        str(each.session),
        each.arm,
        grades.a,
        grades.b,
        grades.c,
        grades.none,
        wilson(grades.a, each.read - grades.none),
        each.paused,
        each.idle,
        each.after_gap,
        each.times_resumed,
        each.times_held,
        each.checks_passed,
        each.checks_failed,
    )


# --- provenance ---------------------------------------------------------------------------------------------
def sources_table(record: StudyRecord, plan: AnalysisPlan) -> Table:
    """Return dates, hashes, runs and versions, by which two copies of a report can be compared."""
    return Table(
        key="sources",
        title=_("Provenance of this report"),
        caption=_(
            "Hashes are SHA-256. Two reports with equal hashes are based on the same plan, draw and readings and were "
            "made by the same software."
        ),
        columns=(Column("what", _("Item")), Column("value", _("Value"))),
        rows=tuple(_source_rows(record.conduct, plan)) if record.conduct else (),
        empty=_("These readings are not from a study of this installation, so their provenance is unknown."),
    )


def _source_rows(conduct: StudyConduct, plan: AnalysisPlan) -> Iterator[tuple[Cell, ...]]:
    yield _("Study created"), _event_text(conduct.created)
    yield _("Study closed"), _event_text(conduct.closed)
    yield _("Truth unsealed"), _event_text(conduct.unsealed)
    yield _("Hash of the study’s plan"), conduct.hashes.plan
    yield _("Hash of the analysis plan"), plan.hash
    yield _("Hash of the draw"), conduct.hashes.draw
    yield _("Hash of the readings"), conduct.hashes.readings
    for run in conduct.generators:
        yield _("Generator"), _run_text(run)
    for attack in conduct.attacks:
        yield _("Attack"), _attack_text(attack)
    yield (
        _("Classifier"),
        _run_text(conduct.classifier) if conduct.classifier else _("none was evaluated on these images"),
    )
    yield _("Software version"), conduct.software.version or _("unknown: the package is not installed")
    yield _("Hash of the source files"), conduct.software.source_hash
    for name, version in conduct.software.packages.items():
        yield name, version or None


def _event_text(event: StudyEvent | None) -> str | None:
    if event is None:
        return None
    text = _("%(day)s, by %(who)s") % {"day": format_day(event.at), "who": person_of(event)}
    return f"{text}: “{event.reason}”" if event.reason else text


def _imported_text(run: NetworkRun) -> str:
    """Return where images come from that another program made, in the words of the person who imported them."""
    if run.is_synthetic:
        by = _("%(name)s: synthetic images made elsewhere, by %(made_by)s, and imported as files")
        without = _("%(name)s: synthetic images made elsewhere and imported as files")
    else:
        by = _("%(name)s: images made elsewhere, by %(made_by)s, and imported as files")
        without = _("%(name)s: images made elsewhere and imported as files")
    text = (by if run.made_by else without) % {"name": run.name, "made_by": run.made_by}
    return f"{text} (“{run.description}”)" if run.description else text


def _attack_text(attack: AttackRun) -> str:
    parts = [attack_words(attack.method, attack.settings)]
    if attack.classifier:
        parts.append(_("on the classifier %(name)s") % {"name": attack.classifier})
    if attack.seed is not None:
        parts.append(_("seed %(seed)s") % {"seed": attack.seed})
    if attack.code_version:
        parts.append(_("code %(code)s") % {"code": attack.code_version})
    return f"{attack.name}: {', '.join(parts)}"


def _run_text(run: NetworkRun) -> str:
    if run.is_imported:
        return _imported_text(run)
    if not run.code_version:
        return _("%(name)s (not registered in this installation)") % {"name": run.name}
    values = {"name": run.name, "preset": run.preset, "seed": run.seed, "code": run.code_version}
    return _("%(name)s: preset %(preset)s, seed %(seed)s, code %(code)s") % values
