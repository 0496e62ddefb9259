"""Recorded facts about reading, results and networks, as sentences of a reporting checklist; "" if none is recorded."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from readerstudy.analysis.checklists.material import MaterialFacts
from readerstudy.analysis.plan.plan_table import endpoint_in_full, unsure_name
from readerstudy.analysis.record.analysis_set import analysis_set
from readerstudy.analysis.record.codes import NEGATIVE, POSITIVE, Subset
from readerstudy.analysis.record.conduct import AttackRun, NetworkRun
from readerstudy.analysis.record.counts import (
    VERDICT_NOT_REAL,
    VERDICT_REAL,
    VERDICT_SEEN,
    VERDICT_UNSURE,
    Ints,
    subset_kinds,
)
from readerstudy.analysis.tables.comparison.mrmc import MrmcComparison, figure_name
from readerstudy.analysis.wording import labelled_pairs_sentence, session_limit_sentence, signed
from readerstudy.experiments.attack_words import attack_words
from readerstudy.experiments.models import CheckpointKind
from readerstudy.experiments.tables.cells import rule_label
from readerstudy.layout.table import NOTHING, Estimate
from readerstudy.results.evaluation import AttackTable
from readerstudy.statistics.roc import AreaUnderCurve

_CROSS_TABLE = [VERDICT_NOT_REAL, VERDICT_UNSURE, VERDICT_REAL]


@dataclass(frozen=True)
class Facts(MaterialFacts):
    """Facts of one study: those of `MaterialFacts`, and about reading, results and networks."""

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
        return " ".join(filter(None, (size, self.withdrawals())))

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
        return _("%(objective)s Level %(alpha)s. Families of tests: %(families)s. Intervals are 95 %%.") % {
            "objective": self.objective(),
            "alpha": f"{self.plan.alpha:g}",
            "families": families,
        }

    def variability(self) -> str:
        return _(
            "Sub-group test of each reader with %(groups)s sub-groups; the analyses under “Exploratory” were not "
            "planned."
        ) % {"groups": self.plan.groups}

    def estimates(self) -> str:
        """Return the change of the primary figure with its interval, by arm."""
        changes = (_change(each) for each in self.comparisons if each.figure == self.plan.primary)
        return " ".join(filter(None, changes))

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

    # --- networks -------------------------------------------------------------------------------------------
    def runs(self) -> str:
        runs = [f"{run.name} ({CheckpointKind(run.kind).label}, {run.preset or '?'})" for run in self._runs]
        return "; ".join(
            [*runs, *(f"{attack.name}: {attack_words(attack.method, attack.settings)}" for attack in self._attack_runs)]
        )

    def seeds(self) -> str:
        seeds = [f"{run.name} {run.seed}" for run in self._all_runs if run.seed is not None]
        return _("Seeds: %(seeds)s.") % {"seeds": ", ".join(seeds)} if seeds else ""

    def training(self) -> str:
        presets = sorted({run.preset for run in self._runs if run.preset})
        if not presets:
            return ""
        sentence = _("Preset %(presets)s; settings and training curves are in the folder of each run.")
        return sentence % {"presets": ", ".join(presets)}

    def ensemble(self) -> str:
        if not (self.conduct and self.conduct.classifier):
            return ""
        return _("None: the single run %(name)s was evaluated.") % {"name": self.conduct.classifier.name}

    @property
    def _runs(self) -> tuple[NetworkRun, ...]:
        if not self.conduct:
            return ()
        generators = (run for run in self.conduct.generators if not run.is_imported)
        return (*([self.conduct.classifier] if self.conduct.classifier else []), *generators)

    @property
    def _attack_runs(self) -> tuple[AttackRun, ...]:
        return self.conduct.attacks if self.conduct else ()

    @property
    def _all_runs(self) -> tuple[NetworkRun | AttackRun, ...]:
        return (*self._runs, *self._attack_runs)

    def software(self) -> str:
        if not self.conduct:
            return ""
        packages = self.conduct.software.packages.items()
        return ", ".join(f"{name} {version}".strip() for name, version in packages)

    def availability(self) -> str:
        if not self.conduct:
            return ""
        codes = sorted({run.code_version for run in self._all_runs if run.code_version})
        return _("This software %(version)s, source files %(hash)s…; code of networks and attacks %(codes)s.") % {
            "version": self.conduct.software.version or "?",
            "hash": self.conduct.software.source_hash[:12],
            "codes": ", ".join(codes) or "?",
        }

    def metrics(self) -> str:
        readers = _("Readers: %(figure)s.") % {"figure": endpoint_in_full(self.plan.primary)}
        classifier = _("Classifier: AUC, correct diagnoses, fooled (Table 1).")
        return f"{readers} {classifier}" if self._attacks() else readers

    def tested(self) -> str:
        parts = [
            _("%(resolution)s: %(images)s images of %(patients)s patients")
            % {"resolution": resolution, "images": table.images, "patients": table.patients}
            for resolution, table in self._attacks().items()
        ]
        return _("Test split of the same cohort, %(parts)s.") % {"parts": "; ".join(parts)} if parts else ""

    def areas(self) -> str:
        parts = []
        for resolution, table in self._attacks().items():
            real, flipped = (_interval(area) for area in (table.auc_real, table.auc_flipped))
            values = {"resolution": resolution, "real": real, "flipped": flipped}
            parts.append(_("%(resolution)s: AUC real %(real)s, adversarial (flipped label) %(flipped)s") % values)
        return "; ".join(parts)

    def fooled(self) -> str:
        parts = []
        for resolution, table in self._attacks().items():
            for decisions in table.decisions:
                threshold = f"{rule_label(decisions.rule)} ({decisions.threshold:.2f})"
                parts.append(f"{resolution}, {threshold}: {decisions.fooled.hits}/{decisions.fooled.trials}")
        return _("Fooled by the attack, by threshold: %(parts)s.") % {"parts": "; ".join(parts)} if parts else ""

    def _attacks(self) -> Mapping[str, AttackTable]:
        """Return Table 1 by resolution."""
        by_resolution = self.record.attack.by_resolution if self.record.attack else {}
        return {resolution: evaluation.table for resolution, evaluation in by_resolution.items()}


def _verdict_counts(verdicts: Ints, subset: Subset) -> str:
    """Return the counts not real / unsure / real of a subset, from counts (6 kinds, 4 verdicts)."""
    counts = verdicts[list(subset_kinds(subset))].sum(axis=0)
    return " / ".join(str(int(counts[verdict])) for verdict in _CROSS_TABLE)


def _interval(area: AreaUnderCurve | None) -> str:
    return NOTHING if area is None else f"{area.value:.2f} ({area.low:.2f}–{area.high:.2f})"


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
