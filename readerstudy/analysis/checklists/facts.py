"""Recorded facts about reading and results, as sentences of a reporting checklist; "" if none is recorded."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from readerstudy.analysis.checklists.sessions import SessionsFacts
from readerstudy.analysis.plan.plan_table import interim_rule, unsure_name
from readerstudy.analysis.record.analysis_set import analysis_set
from readerstudy.analysis.record.codes import ADVERSARIAL, NEGATIVE, PAIR, POSITIVE, REAL, Subset
from readerstudy.analysis.record.counts import (
    VERDICT_NOT_REAL,
    VERDICT_REAL,
    VERDICT_SEEN,
    VERDICT_UNSURE,
    Ints,
    subset_kinds,
)
from readerstudy.analysis.tables.comparison.mrmc import MrmcComparison, figure_name, session_mean
from readerstudy.analysis.wording import labelled_pairs_sentence, session_limit_sentence, signed
from readerstudy.layout.numbers import localise
from readerstudy.layout.table import Estimate
from readerstudy.protocol.sizing import sizing_sentences

_CROSS_TABLE = [VERDICT_NOT_REAL, VERDICT_UNSURE, VERDICT_REAL]


@dataclass(frozen=True)
class Facts(SessionsFacts):
    """Facts of one study: those on material, networks and sessions, and about reading and results."""

    # --- reading --------------------------------------------------------------------------------------------
    def index_test(self) -> str:
        """Return the index test: readers and their task."""
        sessions = sorted({each.number for each in self.record.image_sets if each.asks_for_verdict})
        if not sessions:
            return ""
        sentence = _(
            "%(readers)s enrolled readers were asked to call each image of sessions %(sessions)s real, not real or "
            "unsure."
        )
        asked = sentence % {"readers": self.record.enrolled, "sessions": ", ".join(map(str, sessions))}
        return " ".join(filter(None, (asked, self.withdrawals())))

    def withdrawals(self) -> str:
        """Return how many readers were withdrawn, and what becomes of their readings."""
        withdrawn = self.record.withdrawn
        if not withdrawn:
            return ""
        if withdrawn[0].is_left_out:
            sentence = ngettext(
                "%(count)s of them was withdrawn; those readings are left out.",
                "%(count)s of them were withdrawn; their readings are left out.",
                len(withdrawn),
            )
        else:
            sentence = ngettext(
                "%(count)s of them was withdrawn; the readings until then are kept.",
                "%(count)s of them were withdrawn; their readings until then are kept.",
                len(withdrawn),
            )
        return sentence % {"count": len(withdrawn)}

    def categories(self) -> str:
        rule = _("Verdicts are ordered real, unsure, not real; if a call is needed, “unsure” counts as %(unsure)s.")
        return " ".join(filter(None, (rule % {"unsure": unsure_name(self.plan.unsure)}, self.plan_status())))

    def blinding(self) -> str:
        if not self.conduct:
            return ""
        readers = _("Readers saw only the images: see the table “Blinding”.")
        audits = self.conduct.audits
        if not audits:
            return readers + " " + _("The blinding was not audited.")
        result = _("Audits of the blinding: %(passed)s of %(all)s passed.")
        return readers + " " + result % {"passed": sum(audit.passed for audit in audits), "all": len(audits)}

    def unsure(self) -> str:
        verdicts = self.record.readings.verdicts[..., :VERDICT_SEEN]
        total, unsure = int(verdicts.sum()), int(verdicts[..., VERDICT_UNSURE].sum())
        if not total:
            return ""
        sentence = _("%(unsure)s of %(all)s verdicts were “unsure”; the report shows the results under every rule.")
        return sentence % {"unsure": unsure, "all": total}

    def missing(self) -> str:
        planned = sum(
            image_set.planned * len(self.record.readers_of_arm(image_set.arm)) for image_set in self.record.image_sets
        )
        if not planned:
            return ""
        values = {"missing": planned - len(self.record.readings), "all": planned}
        sentence = _("%(missing)s of %(all)s planned readings are missing; none is imputed.") % values
        left_out = sum(each.is_left_out for each in self.record.withdrawn)
        if not left_out:
            return sentence
        without = ngettext(
            "Not counted: %(count)s withdrawn reader, who is left out.",
            "Not counted: %(count)s withdrawn readers, who are left out.",
            left_out,
        )
        return f"{sentence} {without % {'count': left_out}}"

    def size(self) -> str:
        planned = {
            each.number: each.planned + each.excluded for each in self.record.image_sets if each.asks_for_verdict
        }
        if not planned:
            return ""
        sessions = ", ".join(f"{number}: {count}" for number, count in sorted(planned.items()))
        values = {"sessions": sessions, "readers": self.record.enrolled}
        size = _("Planned images per reader and session: %(sessions)s. Enrolled readers: %(readers)s.") % values
        sizing = sizing_sentences(self.plan.sizing, alpha=self.plan.alpha, margin=self.plan.margin)
        return " ".join(filter(None, (size, *sizing, self.withdrawals())))

    def unknown_size(self) -> str:
        """Return what is missing about the size; "" if the plan keeps a sizing."""
        return "" if self.plan.sizing.is_kept else _("how these numbers were determined")

    def flow(self) -> str:
        """Return the numbers of readers analysed and excluded."""
        if not self.conduct:
            return ""
        sets = [analysis_set(self.record, self.plan, arm) for arm in self.record.arms]
        included, excluded = sum(len(each.readers) for each in sets), sum(len(each.excluded) for each in sets)
        sentence = _("Figure “From the cohort to the analysis”. Readers analysed: %(kept)s, excluded: %(out)s.")
        return sentence % {"kept": included, "out": excluded}

    def with_condition(self) -> str:
        return self._images_drawn("adversarial", _("Adversarial images, of positives / of negatives"))

    def without_condition(self) -> str:
        return self._images_drawn("real", _("Real images, of positives / of negatives"))

    def _images_drawn(self, authenticity: str, title: str) -> str:
        sessions = (self.plan.before, self.plan.after)
        parts = [
            _("session %(session)s (%(arm)s) %(positive)s / %(negative)s")
            % {
                "session": image_set.number,
                "arm": image_set.arm,
                "positive": image_set.count(authenticity, POSITIVE),
                "negative": image_set.count(authenticity, NEGATIVE),
            }
            for image_set in self.record.image_sets
            if image_set.number in sessions
        ]
        return f"{title}: {'; '.join(parts)}." if parts else ""

    def cross_table(self) -> str:
        """Return verdicts by truth in the compared sessions, over all readers."""
        readings = self.record.readings
        parts = []
        for session in (self.plan.before, self.plan.after):
            if session in readings.sessions:
                verdicts = readings.verdicts[:, readings.sessions.index(session)].sum(axis=0)
                adversarial, real = (_verdict_counts(verdicts, each) for each in (Subset.ADVERSARIAL, Subset.REAL))
                parts.append(
                    _("session %(session)s: adversarial %(adversarial)s, real %(real)s")
                    % {"session": session, "adversarial": adversarial, "real": real}
                )
        return _("Verdicts not real / unsure / real, %(parts)s.") % {"parts": "; ".join(parts)} if parts else ""

    # --- analysis -------------------------------------------------------------------------------------------
    def methods(self) -> str:
        families = "; ".join(family.name for family in self.plan.families) or _("none")
        sentence = _(
            "%(objective)s Level %(alpha)s. Families of tests: %(families)s. Intervals of planned tests have the level "
            "of the test, others are 95 %%. Interim looks: %(looks)s"
        )
        return sentence % {
            "objective": self.objective(),
            "alpha": localise(f"{self.plan.alpha:g}"),
            "families": families,
            "looks": interim_rule(self.plan),
        }

    def variability(self) -> str:
        return _(
            "Sub-group test of each reader with %(groups)s sub-groups; the analyses under “Exploratory” were not "
            "planned."
        ) % {"groups": self.plan.groups}

    def estimates(self) -> str:
        """Return the primary figure in each compared session and its change, with intervals, by arm."""
        primary = [each for each in self.comparisons if each.figure == self.plan.primary]
        return " ".join(filter(None, (sentence for each in primary for sentence in (*_means(each), _change(each)))))

    def unknown_estimates(self) -> str:
        """Return what is missing about accuracy; "" if nothing is."""
        primary = [each for each in self.comparisons if each.figure == self.plan.primary]
        return "" if any(each.result for each in primary) else _("the estimates with their intervals")

    def methods_planned(self) -> str:
        """Return how readers and images enter the analysis, and whether it was planned before reading."""
        if not self.conduct:
            return ""
        random = _("Readers and images are both random in the primary analysis (Obuchowski and Rockette, 1995).")
        looks = _("Interim looks: %(looks)s") % {"looks": interim_rule(self.plan)}
        return f"{random} {self.plan_status()} {looks}"

    def drawn_sessions(self) -> str:
        """Return the images of each session of each arm, by kind."""
        if not (self.conduct and self.record.image_sets):
            return ""
        lines = "; ".join(
            _("session %(session)s (%(arm)s): %(real)s real, %(adversarial)s adversarial, %(pairs)s pairs")
            % {
                "session": each.number,
                "arm": each.arm,
                "real": each.count(REAL),
                "adversarial": each.count(ADVERSARIAL),
                "pairs": each.count(PAIR),
            }
            for each in self.record.image_sets
        )
        return f"{lines}. {self.sampling()}"

    def flow_and_missing(self) -> str:
        return " ".join(filter(None, (self.flow(), self.missing(), self.withdrawals())))

    def agreement(self) -> str:
        readers = len(self.record.readings.readers_with_verdicts())
        if readers < 2:
            return ""
        return _(
            "Agreement of the %(count)s readers with verdicts: see the table of agreement. Agreement on the pathology "
            "is not recorded."
        ) % {"count": readers}

    def limits(self) -> str:
        sentences = (session_limit_sentence(self.record, self.plan), labelled_pairs_sentence(self.record))
        return " ".join(filter(None, sentences))


def _verdict_counts(verdicts: Ints, subset: Subset) -> str:
    """Return the counts not real / unsure / real of a subset, from counts (6 kinds, 4 verdicts)."""
    counts = verdicts[list(subset_kinds(subset))].sum(axis=0)
    return " / ".join(str(int(counts[verdict])) for verdict in _CROSS_TABLE)


def _means(comparison: MrmcComparison) -> Iterator[str]:
    """Yield the mean over readers in each compared session, with its interval."""
    if comparison.result is None:
        return
    for session in comparison.result.conditions:
        mean = session_mean(comparison.result, session)
        shown = mean if isinstance(mean, Estimate) else Estimate(mean, mean, mean)
        yield _("%(arm)s, session %(session)s: %(figure)s %(mean)s (%(low)s–%(high)s).") % {
            "arm": comparison.arm,
            "session": session,
            "figure": figure_name(comparison.figure),
            "mean": localise(f"{shown.value:.2f}"),
            "low": localise(f"{shown.low:.2f}"),
            "high": localise(f"{shown.high:.2f}"),
        }


def _change(comparison: MrmcComparison) -> str:
    change = comparison.change
    if not isinstance(change, Estimate):
        return comparison.reason
    return _("%(arm)s: change of %(figure)s %(by)s (%(low)s to %(high)s).") % {
        "arm": comparison.arm,
        "figure": figure_name(comparison.figure),
        "by": signed(change.value),
        "low": signed(change.low),
        "high": signed(change.high),
    }
