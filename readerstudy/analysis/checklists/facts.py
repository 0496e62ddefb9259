"""What the record knows for a reporting checklist: sentences made from its numbers, empty where it knows nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.utils.translation import gettext as _

from readerstudy.analysis.checklists.material import MaterialFacts
from readerstudy.analysis.layout.wording import session_limit_sentence, signed
from readerstudy.analysis.plan.plan_table import endpoint_in_full
from readerstudy.analysis.record.analysis_set import analysed
from readerstudy.analysis.record.codes import ADVERSARIAL, NEGATIVE, POSITIVE, REAL
from readerstudy.analysis.record.conduct import Run
from readerstudy.analysis.record.counts import SAID_NOT_REAL, SAID_REAL, SAID_SEEN, SAID_UNSURE
from readerstudy.analysis.tables.mrmc import Comparison, change, figure_name
from readerstudy.experiments.models import CheckpointKind
from readerstudy.layout.table import NOTHING, Estimate
from readerstudy.results.evaluation import AttackTable
from readerstudy.statistics.roc import AreaUnderCurve

_REAL, _ADVERSARIAL = [0, 1], [2, 3]  # places in KINDS


@dataclass(frozen=True)
class Facts(MaterialFacts):
    """One study, asked by the checklists: beside plan and material what was read, found and trained."""

    # --- reading --------------------------------------------------------------------------------------------
    def test(self) -> str:
        """The index test: readers and what they were asked."""
        asked = sorted({one.number for one in self.record.sets if one.asks})
        if not asked:
            return ""
        return _("%(readers)s readers called each image of sessions %(sessions)s real, not real or unsure.") % {
            "readers": len(self.record.readers),
            "sessions": ", ".join(map(str, asked)),
        }

    def categories(self) -> str:
        unsure = {"wrong": _("wrong"), "excluded": _("left out"), "half": _("half right")}[self.plan.unsure]
        rule = _("Verdicts are ordered real, unsure, not real; where a call is needed, “unsure” counts as %(unsure)s.")
        return " ".join(filter(None, (rule % {"unsure": unsure}, self.is_declared())))

    def blinded(self) -> str:
        if not self.conduct:
            return ""
        audits = self.conduct.audits
        said = _("Readers saw the pictures alone: table “Who was blind to what”.")
        if not audits:
            return said + " " + _("The blinding was not audited.")
        tried = _("Audits of the blinding: %(passed)s of %(all)s passed.")
        return said + " " + tried % {"passed": sum(one.passed for one in audits), "all": len(audits)}

    def unsure(self) -> str:
        given = self.record.tallies.counts[..., :SAID_SEEN]
        total, unsure = int(given.sum()), int(given[..., SAID_UNSURE].sum())
        if not total:
            return ""
        return _("%(unsure)s of %(all)s verdicts were “unsure”; the report shows every rule for them side by side.") % {
            "unsure": unsure,
            "all": total,
        }

    def missing(self) -> str:
        planned = sum(one.planned for one in self.record.sets for arm in self.record.readers.values() if arm == one.arm)
        if not planned:
            return ""
        values = {"missing": planned - len(self.record.tallies), "all": planned}
        return _("%(missing)s of %(all)s planned readings are missing; none is filled in.") % values

    def size(self) -> str:
        planned = {one.number: one.planned for one in self.record.sets if one.asks}
        if not planned:
            return ""
        sessions = ", ".join(f"{number}: {count}" for number, count in sorted(planned.items()))
        return _("Planned images of each reader by session: %(sessions)s. Enrolled readers: %(readers)s.") % {
            "sessions": sessions,
            "readers": len(self.record.readers),
        }

    def flow(self) -> str:
        """Who stands in the analysis; the picture shows the way there."""
        if not self.conduct:
            return ""
        found = [analysed(self.record, self.plan, arm) for arm in self.record.arms]
        kept, out = sum(len(one.readers) for one in found), sum(len(one.left_out) for one in found)
        return _("Figure “From the cohort to the analysis”. Readers analysed: %(kept)s, left out: %(out)s.") % {
            "kept": kept,
            "out": out,
        }

    def with_condition(self) -> str:
        return self._kinds_of_images(ADVERSARIAL, _("Adversarial images, of positives / of negatives"))

    def without_condition(self) -> str:
        return self._kinds_of_images(REAL, _("Real images, of positives / of negatives"))

    def _kinds_of_images(self, authenticity: str, title: str) -> str:
        compared = [one for one in self.record.sets if one.number in (self.plan.before, self.plan.after)]
        parts = [
            _("session %(session)s (%(arm)s) %(positive)s / %(negative)s")
            % {
                "session": one.number,
                "arm": one.arm,
                "positive": one.count(authenticity, POSITIVE),
                "negative": one.count(authenticity, NEGATIVE),
            }
            for one in compared
        ]
        return f"{title}: {'; '.join(parts)}." if parts else ""

    def cross_table(self) -> str:
        """Verdicts by truth in the compared sessions, over the readers."""
        tallies = self.record.tallies
        parts = []
        for session in (self.plan.before, self.plan.after):
            if session not in tallies.sessions:
                continue
            counts = tallies.counts[:, tallies.sessions.index(session)].sum(axis=0)
            order = [SAID_NOT_REAL, SAID_UNSURE, SAID_REAL]
            adversarial, real = (counts[kinds].sum(axis=0)[order] for kinds in (_ADVERSARIAL, _REAL))
            parts.append(
                _("session %(session)s: adversarial %(adversarial)s, real %(real)s")
                % {"session": session, "adversarial": _slashed(adversarial), "real": _slashed(real)}
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
            "Sub-group test of each reader with %(groups)s sub-groups, and the section “Exploratory”; what stands "
            "there was not planned."
        ) % {"groups": self.plan.groups}

    def estimates(self) -> str:
        """The primary figure with its interval, by arm."""
        primary = [one for one in self.compared if one.figure == self.plan.primary]
        parts = [_of_arm(one) for one in primary]
        return " ".join(part for part in parts if part)

    def agreement(self) -> str:
        asked = len(self.record.tallies.readers_asked())
        if asked < 2:
            return ""
        return _("Of the %(count)s readers: table of agreement. Of those who made the truth nothing is known.") % {
            "count": asked
        }

    def limits(self) -> str:
        return session_limit_sentence(self.plan)

    # --- networks -------------------------------------------------------------------------------------------
    def runs(self) -> str:
        return "; ".join(f"{one.name} ({CheckpointKind(one.kind).label}, {one.preset or '?'})" for one in self._runs)

    def seeds(self) -> str:
        known = [f"{one.name} {one.seed}" for one in self._runs if one.seed is not None]
        return _("Seeds: %(seeds)s.") % {"seeds": ", ".join(known)} if known else ""

    def training(self) -> str:
        presets = sorted({one.preset for one in self._runs if one.preset})
        if not presets:
            return ""
        return _("Preset %(presets)s; settings and course of training lie in each run’s folder.") % {
            "presets": ", ".join(presets)
        }

    def ensemble(self) -> str:
        if not (self.conduct and self.conduct.classifier):
            return ""
        return _("None: one run, %(name)s, judges.") % {"name": self.conduct.classifier.name}

    @property
    def _runs(self) -> tuple[Run, ...]:
        if not self.conduct:
            return ()
        return (*([self.conduct.classifier] if self.conduct.classifier else []), *self.conduct.generators)

    def software(self) -> str:
        if not self.conduct:
            return ""
        packages = self.conduct.software.packages.items()
        return ", ".join(f"{name} {version}".strip() for name, version in packages)

    def availability(self) -> str:
        if not self.conduct:
            return ""
        codes = sorted({run.code_version for run in self._runs if run.code_version})
        return _("This software %(version)s, source files %(hash)s…; code of the networks %(codes)s.") % {
            "version": self.conduct.software.version or "?",
            "hash": self.conduct.software.source_hash[:12],
            "codes": ", ".join(codes) or "?",
        }

    def metrics(self) -> str:
        shown = _("Readers: %(figure)s.") % {"figure": endpoint_in_full(self.plan.primary)}
        of_the_classifier = _("Classifier: AUC, right diagnoses, fooled (Table 1).")
        return f"{shown} {of_the_classifier}" if self._attacks() else shown

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
                hits = f"{decisions.fooled.hits}/{decisions.fooled.trials}"
                parts.append(f"{resolution}, {decisions.threshold:.2f}: {hits}")
        return _("Fooled by the attack, by threshold: %(parts)s.") % {"parts": "; ".join(parts)} if parts else ""

    def _attacks(self) -> Mapping[str, AttackTable]:
        """Return Table 1 by resolution."""
        attack = self.record.attack
        return {resolution: found.table for resolution, found in attack.by_resolution.items()} if attack else {}


def _slashed(counts: np.ndarray[Any, Any]) -> str:
    return " / ".join(str(int(count)) for count in counts)


def _interval(area: AreaUnderCurve | None) -> str:
    return NOTHING if area is None else f"{area.value:.2f} ({area.low:.2f}–{area.high:.2f})"


def _of_arm(one: Comparison) -> str:
    by = change(one.found) if one.found else None
    if not isinstance(by, Estimate):
        return one.reason
    return _("%(arm)s: change of %(figure)s %(by)s (%(low)s to %(high)s).") % {
        "arm": one.arm,
        "figure": figure_name(one.figure),
        "by": signed(by.value),
        "low": signed(by.low),
        "high": signed(by.high),
    }
