"""What the record knows of plan and material, for a reporting checklist: sentences, empty where it knows nothing."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from readerstudy.analysis.figures.flow_numbers import split_title
from readerstudy.analysis.plan.plan_table import endpoint_in_full
from readerstudy.analysis.record.conduct import Conduct
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.tables.mrmc import Comparison
from readerstudy.analysis.tables.study_conduct import day
from readerstudy.studies.analysis_plan import AnalysisPlan


@dataclass(frozen=True)
class MaterialFacts:
    """One study, asked by the checklists; `compared` are the analyses across readers where they were made."""

    record: StudyRecord
    plan: AnalysisPlan
    compared: tuple[Comparison, ...] = ()

    @property
    def conduct(self) -> Conduct | None:
        return self.record.conduct

    # --- plan and dates -------------------------------------------------------------------------------------
    def blank(self) -> str:
        return ""

    def objective(self) -> str:
        return _("Primary comparison of the plan: %(figure)s, session %(after)s against session %(before)s.") % {
            "figure": endpoint_in_full(self.plan.primary),
            "before": self.plan.before,
            "after": self.plan.after,
        }

    def dates(self) -> str:
        """When it was planned and when it was read."""
        if not self.conduct:
            return ""
        made = _("Planned and drawn on %(day)s.") % {"day": day(self.conduct.created.at)}
        begun = [one.opened_at for one in self.conduct.sittings if one.opened_at]
        if not begun:
            return made + " " + _("Nobody has begun to read.")
        ended = [one.finished_at for one in self.conduct.sittings if one.finished_at]
        span = {"first": day(min(begun)), "last": day(max(ended)) if ended else "…"}
        return made + " " + _("Read after that, from %(first)s to %(last)s.") % span

    def is_declared(self) -> str:
        if not self.conduct:
            return ""
        if not self.conduct.is_declared:
            return _("No analysis plan was locked with the study.")
        made = {"day": day(self.conduct.created.at), "hash": self.plan.hash[:12]}
        return _("The analysis plan was locked with the study on %(day)s (hash %(hash)s…).") % made

    def protocol(self) -> str:
        if not self.conduct:
            return ""
        return (
            _("Hash of the study’s plan %(hash)s….") % {"hash": self.conduct.hashes.plan[:12]}
            + " "
            + self.is_declared()
        )

    # --- material -------------------------------------------------------------------------------------------
    def data(self) -> str:
        if not self.conduct:
            return ""
        cohort = self.conduct.cohort
        return _("Cohort %(name)s: %(images)s images of %(patients)s patients (%(modalities)s).") % {
            "name": cohort.name,
            "images": cohort.images,
            "patients": cohort.patients,
            "modalities": ", ".join(cohort.modalities) or "?",
        }

    def left_out(self) -> str:
        if not (self.conduct and self.conduct.cohort.imports):
            return ""
        last = self.conduct.cohort.imports[-1]
        return _("The last import, on %(day)s, left out %(count)s files.") % {
            "day": day(last.at),
            "count": last.problems,
        }

    def included(self) -> str:
        return " ".join(filter(None, (self.data(), self.left_out())))

    def drawn(self) -> str:
        """How images came into the sessions."""
        if not (self.conduct and self.conduct.drawn):
            return ""
        arms = "; ".join(f"{arm} {patients}" for arm, patients in sorted(self.conduct.patients_drawn.items()))
        return _(
            "Within the cohort the images were drawn at random from a stored seed, by split and pathology; patients "
            "drawn: %(arms)s."
        ) % {"arms": arms}

    def preprocessing(self) -> str:
        if not self.conduct:
            return ""
        bits = ", ".join(map(str, self.conduct.cohort.source_bits))
        shown = "; ".join(f"{arm}: {resolution}" for arm, resolution in sorted(self.conduct.resolutions.items()))
        return _("Sources of %(bits)s bits, made to one size for each arm (%(shown)s), 16-bit grey.") % {
            "bits": bits or "?",
            "shown": shown,
        }

    def acquisition(self) -> str:
        if not self.conduct:
            return ""
        cohort = self.conduct.cohort
        values = {"modalities": ", ".join(cohort.modalities), "bits": ", ".join(map(str, cohort.source_bits))}
        return _("Modality %(modalities)s; %(bits)s bits.") % values

    def pseudonyms(self) -> str:
        if not self.conduct:
            return ""
        return _("The %(count)s patients are stored under pseudonyms, their sources’ names as keyed hashes only.") % {
            "count": self.conduct.cohort.patients
        }

    def partitions(self) -> str:
        if not self.conduct:
            return ""
        parts = "; ".join(
            _("%(split)s %(patients)s patients, %(images)s images")
            % {"split": split_title(part.split), "patients": part.patients, "images": part.images}
            for part in self.conduct.cohort.parts
        )
        return _("Split by patient at random from a stored seed: %(parts)s.") % {"parts": parts}

    def level(self) -> str:
        if not self.conduct:
            return ""
        return _("Patient: each of the %(count)s stands in one split.") % {"count": self.conduct.cohort.patients}

    def baseline(self) -> str:
        """Pathology by split: all that the record knows of the women."""
        if not self.conduct:
            return ""
        parts = "; ".join(
            _("%(split)s %(malignant)s of %(patients)s patients")
            % {"split": split_title(part.split), "malignant": part.malignant_patients, "patients": part.patients}
            for part in self.conduct.cohort.parts
        )
        return _("With a malignant finding: %(parts)s.") % {"parts": parts}

    def reference(self) -> str:
        """Authenticity by construction, pathology by its source."""
        if not self.conduct:
            return ""
        runs = ", ".join(run.name for run in self.conduct.generators) or "?"
        made = _("Adversarial is what the generator runs %(runs)s made, real what was imported.") % {"runs": runs}
        return made + " " + self.pathology_source()

    def pathology_source(self) -> str:
        if not self.conduct:
            return ""
        counts = ", ".join(f"{count} {name}" for name, count in sorted(self.conduct.cohort.pathologies.items()))
        values = {"counts": counts, "sources": ", ".join(self.conduct.cohort.pathology_sources) or "?"}
        return _("Pathology of images: %(counts)s (source: %(sources)s).") % values

    def truth_before(self) -> str:
        """That the truth was there before anybody read."""
        if not (self.conduct and self.conduct.cohort.imports):
            return ""
        first = self.conduct.cohort.imports[0].at
        days = {"stored": day(first), "made": day(self.conduct.created.at)}
        return _("The truth was stored from %(stored)s on; the study was drawn from it on %(made)s.") % days
