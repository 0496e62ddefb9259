"""Recorded facts about readers and sessions, as sentences of a reporting checklist; "" if nothing is recorded."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from readerstudy.analysis.checklists.networks import NetworkFacts
from readerstudy.analysis.record.codes import PAIR
from readerstudy.analysis.record.conduct import GradeCounts, SessionFacts
from readerstudy.protocol.document import ReadingOrder

_DAY = 24 * 60 * 60  # seconds


@dataclass(frozen=True)
class SessionsFacts(NetworkFacts):
    """Facts of one study about its readers, their sessions, displays and times."""

    @property
    def _sessions(self) -> tuple[SessionFacts, ...]:
        return self.conduct.sessions if self.conduct else ()

    def readers(self) -> str:
        """Return how many readers were enrolled, and where their characteristics are."""
        if not self.record.enrolled:
            return ""
        counted = _("Enrolled readers: %(count)s.") % {"count": self.record.enrolled}
        if not self.record.reader_characteristics:
            return counted
        return counted + " " + _("What they told about themselves: see the table “Readers”.")

    def training_of_readers(self) -> str:
        """Return which sessions only showed images, and which began with a practice image."""
        shown = [each for each in self._sessions if not each.asks_for_verdict]
        practice = [str(each.number) for each in self._sessions if each.practice]
        parts = []
        if shown:
            pairs = {each.number for each in self.record.image_sets if each.count(PAIR)}
            names = ", ".join(
                _("%(session)s (%(images)s pairs of a real and an adversarial image)")
                % {"session": each.number, "images": each.planned}
                if each.number in pairs
                else _("%(session)s (%(images)s images)") % {"session": each.number, "images": each.planned}
                for each in shown
            )
            parts.append(_("Sessions that only showed images: %(sessions)s.") % {"sessions": names})
        if practice:
            parts.append(_("Began with a practice image: sessions %(sessions)s.") % {"sessions": ", ".join(practice)})
        elif self._sessions:
            parts.append(_("No session began with a practice image."))
        return " ".join(parts)

    def sequence(self) -> str:
        """Return the sessions in order, and by which rule each shows its images."""
        names = {
            ReadingOrder.SAME: _("the same drawn order for all readers"),
            ReadingOrder.PER_READER: _("another random order for each reader"),
            ReadingOrder.BLOCKS: _("random within blocks"),
        }
        lines = "; ".join(f"{each.number} {names[ReadingOrder(each.order)]}" for each in self._sessions if each.order)
        return _("Order of the images by session: %(sessions)s.") % {"sessions": lines} if lines else ""

    def washout(self) -> str:
        """Return the least days between sessions as planned, and the days that passed between the compared ones."""
        if not self._sessions:
            return ""
        planned = "; ".join(f"{each.number}: {each.washout_days}" for each in self._sessions)
        least = _("Least days after the session before, as planned: %(sessions)s.") % {"sessions": planned}
        days = sorted(self._days_between())
        if not days:
            return least + " " + _("No reader has begun both compared sessions.")
        passed = _("From the end of session %(before)s to the start of session %(after)s: %(least)s to %(most)s days.")
        return (
            least
            + " "
            + passed
            % {"before": self.plan.before, "after": self.plan.after, "least": f"{days[0]}", "most": f"{days[-1]}"}
        )

    def _days_between(self) -> Iterator[int]:
        assert self.conduct
        for reader in self.record.readers:
            first, second = (self.conduct.reader_session(reader, each) for each in (self.plan.before, self.plan.after))
            if first and second and first.finished_at and second.opened_at:
                yield int(abs((second.opened_at - first.finished_at).total_seconds()) // _DAY)

    def interruptions(self) -> str:
        if not (self.conduct and self.conduct.reader_sessions):
            return ""
        each = self.conduct.reader_sessions
        values = {
            "resumed": sum(session.times_resumed for session in each),
            "held": sum(session.times_held for session in each),
            "paused": sum(session.paused for session in each),
            "idle": sum(session.idle for session in each),
        }
        return (
            _(
                "Sessions put on hold: %(held)s; resumed: %(resumed)s. Readings with a pause: %(paused)s, with idle "
                "time: %(idle)s."
            )
            % values
        )

    def displays(self) -> str:
        """Return the rule for the display check of each session, and how many were passed."""
        if not (self.conduct and self._sessions):
            return ""
        names = {"off": _("none"), "advised": _("advised"), "required": _("required")}
        rules = "; ".join(
            f"{each.number}: {names.get(each.display_check, each.display_check)}" for each in self._sessions
        )
        checks = self.conduct.reader_sessions
        values = {
            "rules": rules,
            "passed": sum(session.checks_passed for session in checks),
            "failed": sum(session.checks_failed for session in checks),
        }
        return _("Display check by session: %(rules)s. Passed: %(passed)s, failed: %(failed)s.") % values

    def viewer(self) -> str:
        """Return what showed the images, with its version."""
        if not self.conduct:
            return ""
        return _(
            "This software, version %(version)s, in a browser: one image at a time, with window, level, zoom and "
            "magnifier."
        ) % {"version": self.conduct.software.version or "?"}

    def times(self) -> str:
        """Return how reading times were measured, and how many can be trusted."""
        if not self.conduct:
            return ""
        grades = [session.grades for session in self.conduct.reader_sessions]
        graded, best = sum(_graded(each) for each in grades), sum(each.a for each in grades)
        measured = _("No time limit. Times are measured by the browser from the display of an image to its verdict.")
        if not graded:
            return measured
        return measured + " " + _("Grade A: %(best)s of %(all)s.") % {"best": best, "all": graded}

    def aids(self) -> str:
        """Return in which sessions an aid or a follow-up question stood beside the image."""
        if not self.record.image_sets:
            return ""
        aided = ", ".join(map(str, self.record.aided_sessions))
        aid = (
            _("Aid beside the image: sessions %(sessions)s.") % {"sessions": aided} if aided else _("No aid was shown.")
        )
        asked = "; ".join(f"{each.number}: {', '.join(each.questions)}" for each in self._sessions if each.questions)
        return aid + (" " + _("Further questions: %(sessions)s.") % {"sessions": asked} if asked else "")

    def repeated(self) -> str:
        """Return whether images were shown twice, so that the agreement of readers with themselves is known."""
        if not self.record.image_sets:
            return ""
        if not self.record.repeats:
            return _("No image was shown twice to a reader.")
        count = len({each.reader for each in self.record.repeats})
        sentence = ngettext(
            "Images were shown twice to %(count)s reader: see the table of repeats.",
            "Images were shown twice to %(count)s readers: see the table of repeats.",
            count,
        )
        return sentence % {"count": count}

    def unblinded(self) -> str:
        """Return how often somebody learnt part of the truth before the unsealing."""
        if not self.conduct:
            return ""
        count = len(self.conduct.unblindings)
        if not count:
            return _("No unplanned unblinding was recorded.")
        sentence = ngettext(
            "%(count)s unplanned unblinding was recorded: see its table.",
            "%(count)s unplanned unblindings were recorded: see their table.",
            count,
        )
        return sentence % {"count": count}

    def auditable(self) -> str:
        if not self.conduct:
            return ""
        return _(
            "Every verdict is stored once and never changed; the hash of all readings is under “Provenance of this "
            "report”. The bundle of the study computes this report again."
        )


def _graded(grades: GradeCounts) -> int:
    return grades.a + grades.b + grades.c
