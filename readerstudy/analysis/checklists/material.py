"""Recorded facts about plan and material, as sentences of a reporting checklist; "" if nothing is recorded."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from readerstudy.analysis.figures.flow_numbers import split_title
from readerstudy.analysis.plan.plan_table import claim_words, endpoint_in_full
from readerstudy.analysis.record.conduct import ImportCounts, StudyConduct
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.tables.comparison.mrmc import MrmcComparison
from readerstudy.analysis.tables.study_conduct import format_day
from readerstudy.analysis.wording import compared_sessions
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.protocol.comparisons import DIFFERENCE

_SHORT_HASH = 12  # characters


@dataclass(frozen=True)
class MaterialFacts:
    """Facts of one study about its plan and material. `comparisons` are its MRMC analyses, if they were made."""

    record: StudyRecord
    plan: AnalysisPlan
    comparisons: tuple[MrmcComparison, ...] = ()

    @property
    def conduct(self) -> StudyConduct | None:
        return self.record.conduct

    # --- plan and dates -------------------------------------------------------------------------------------
    def blank(self) -> str:
        return ""

    def stated(self, entries: Iterable[str]) -> tuple[str, ...]:
        """Return what the plan states of these entries of its reporting part; what it leaves out is missing."""
        return tuple(text for entry in entries if (text := getattr(self.plan.reporting, entry)))

    def objective(self) -> str:
        """Return the primary comparison of the plan and its hypotheses."""
        if self.plan.claim == DIFFERENCE:
            sentence = _(
                "Primary comparison of the plan: %(figure)s, session %(after)s against session %(before)s. Null "
                "hypothesis: its mean over readers does not change; two-sided test."
            )
        else:
            sentence = _(
                "Primary comparison of the plan: %(figure)s, session %(after)s against session %(before)s. To be "
                "shown: %(claim)s; one-sided test at half the level."
            )
        values = {"figure": endpoint_in_full(self.plan.primary), "claim": claim_words(self.plan.primary_comparison)}
        further = _("Further comparisons: %(count)s, see the analysis plan.") % {"count": len(self.plan.comparisons)}
        return sentence % {**values, **compared_sessions(self.plan)} + (f" {further}" if self.plan.comparisons else "")

    def dates(self) -> str:
        """Return the dates of planning and reading."""
        if not self.conduct:
            return ""
        planned = _("Planned and drawn on %(day)s.") % {"day": format_day(self.conduct.created.at)}
        started = [session.opened_at for session in self.conduct.reader_sessions if session.opened_at]
        if not started:
            return planned + " " + _("No reader has started.")
        finished = [session.finished_at for session in self.conduct.reader_sessions if session.finished_at]
        period = {"first": format_day(min(started)), "last": format_day(max(finished)) if finished else "…"}
        return planned + " " + _("Read afterwards, from %(first)s to %(last)s.") % period

    def plan_status(self) -> str:
        """Return whether the analysis plan was locked with the study."""
        if not self.conduct:
            return ""
        if not self.conduct.is_declared:
            return _("No analysis plan was locked with the study.")
        values = {"day": format_day(self.conduct.created.at), "hash": self.plan.hash[:_SHORT_HASH]}
        return _("The analysis plan was locked with the study on %(day)s (hash %(hash)s…).") % values

    def protocol(self) -> str:
        if not self.conduct:
            return ""
        study_plan = _("Hash of the study’s plan %(hash)s….") % {"hash": self.conduct.hashes.plan[:_SHORT_HASH]}
        return f"{study_plan} {self.plan_status()}"

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

    def excluded_files(self) -> str:
        """Return the number of files that the last import excluded."""
        if not (self.conduct and self.conduct.cohort.imports):
            return ""
        last = self.conduct.cohort.imports[-1]
        values = {"day": format_day(last.at), "count": last.problems}
        excluded = _("The last import, on %(day)s, excluded %(count)s files.") % values
        return " ".join(filter(None, (excluded, _other_sides(last))))

    def included(self) -> str:
        return " ".join(filter(None, (self.data(), self.near_copies(), self.excluded_files())))

    def near_copies(self) -> str:
        """Return how many images have copies under other names, and whether a group of copies is divided."""
        if not self.conduct:
            return ""
        copies = self.conduct.cohort.copies
        if not copies.groups:
            return _("No image is a near-copy of another.")
        belong = ngettext(
            "%(images)s images belong to %(groups)s group of near-copies or parts of one recording;",
            "%(images)s images belong to %(groups)s groups of near-copies or parts of one recording;",
            copies.groups,
        )
        divided = ngettext(
            "%(count)s group lies in two splits.", "%(count)s groups lie in two splits.", copies.divided_groups
        )
        counts = {"images": copies.images, "groups": copies.groups, "count": copies.divided_groups}
        together = divided if copies.divided_groups else _("no group lies in two splits.")
        return f"{belong} {together}" % counts

    def sampling(self) -> str:
        """Return how images were selected for the sessions."""
        if not (self.conduct and self.conduct.drawn):
            return ""
        arms = "; ".join(f"{arm} {patients}" for arm, patients in sorted(self.conduct.patients_drawn.items()))
        return _(
            "Images were drawn at random from the cohort, from a stored seed, by split and pathology; patients drawn: "
            "%(arms)s."
        ) % {"arms": arms}

    def preprocessing(self) -> str:
        if not self.conduct:
            return ""
        resolutions = self.conduct.resolutions
        # An arm that is named like its resolution says nothing more.
        arms = "; ".join(
            resolution if arm == resolution else f"{arm}: {resolution}"
            for arm, resolution in sorted(resolutions.items())
        )
        return _(
            "Source images of %(bits)s bits were resized to one resolution per arm (%(shown)s) and stored with 16-bit "
            "grey levels."
        ) % {"bits": ", ".join(map(str, self.conduct.cohort.source_bits)) or "?", "shown": arms}

    def acquisition(self) -> str:
        if not self.conduct:
            return ""
        cohort = self.conduct.cohort
        values = {"modalities": ", ".join(cohort.modalities), "bits": ", ".join(map(str, cohort.source_bits))}
        return _("Modality %(modalities)s; %(bits)s bits.") % values

    def pseudonyms(self) -> str:
        if not self.conduct:
            return ""
        return _(
            "The %(count)s patients are stored under pseudonyms; their original identifiers only as keyed hashes."
        ) % {"count": self.conduct.cohort.patients}

    def partitions(self) -> str:
        if not self.conduct:
            return ""
        splits = "; ".join(
            _("%(split)s %(patients)s patients, %(images)s images")
            % {"split": split_title(split.split), "patients": split.patients, "images": split.images}
            for split in self.conduct.cohort.splits
        )
        return _("Split by patient at random from a stored seed: %(parts)s.") % {"parts": splits}

    def level(self) -> str:
        if not self.conduct:
            return ""
        patients = _("Patient: each of the %(count)s patients is in one split.")
        return patients % {"count": self.conduct.cohort.patients} + " " + self.near_copies()

    def baseline(self) -> str:
        """Return pathology by split, the only recorded characteristic of patients."""
        if not self.conduct:
            return ""
        splits = "; ".join(
            _("%(split)s %(positive)s of %(patients)s patients")
            % {"split": split_title(split.split), "positive": split.positive_patients, "patients": split.patients}
            for split in self.conduct.cohort.splits
        )
        return str(self.record.modality.words.report.with_finding % {"parts": splits})

    def reference(self) -> str:
        """Return how authenticity and pathology are known."""
        if not self.conduct:
            return ""
        attacks = [attack.name for attack in self.conduct.attacks]
        names = [*(run.name for run in self.conduct.generators), *attacks]
        made_elsewhere = any(run.is_imported for run in self.conduct.generators)
        sentence = (
            _("Adversarial images are those of %(runs)s; synthetic ones show no patient. Another program made them.")
            if any(run.is_synthetic for run in self.conduct.generators)
            else _(
                "Adversarial images are those of %(runs)s, which another program made from the real images of the "
                "cohort."
            )
            if made_elsewhere
            else _("Adversarial images are those made by the attacks %(runs)s, real images those that were imported.")
            if attacks
            else _(
                "Adversarial images are those made by the generator runs %(runs)s, real images those that were "
                "imported."
            )
        )
        authenticity = sentence % {"runs": ", ".join(names) or "?"}
        return f"{authenticity} {self.pathology_source()}"

    def pathology_source(self) -> str:
        if not self.conduct:
            return ""
        findings = self.record.modality.findings
        pathologies = self.conduct.cohort.pathologies
        known = [(finding.label, pathologies[code]) for code, finding in findings.items() if code in pathologies]
        counts = ", ".join(f"{label} {count}" for label, count in known)
        values = {"counts": counts, "sources": ", ".join(self.conduct.cohort.pathology_sources) or "?"}
        return _("Pathology of images: %(counts)s (source: %(sources)s).") % values

    def rationale(self) -> str:
        """Return why no other reference standard of authenticity is possible; "" for images made elsewhere."""
        if not self.conduct or any(run.is_imported for run in self.conduct.generators):
            return ""
        return _(
            "Whether an image is adversarial is known by construction: this software made each adversarial image from "
            "a stored real one. No other reference standard is needed."
        )

    def no_harm(self) -> str:
        """Return why no adverse event can occur."""
        return _("Stored images were read; nobody was examined or treated for the study.")

    def no_annotators(self) -> str:
        """Return why annotators cannot agree or disagree; "" if the truth does not come from construction."""
        return self.rationale() and _("Authenticity is known by construction; nobody annotated it.")

    def no_external_data(self) -> str:
        return _("No independent data set was evaluated.")

    def truth_dates(self) -> str:
        """Return when the truth was stored and when the study was drawn."""
        if not (self.conduct and self.conduct.cohort.imports):
            return ""
        first = self.conduct.cohort.imports[0].at
        days = {"stored": format_day(first), "made": format_day(self.conduct.created.at)}
        return _("The truth was first stored on %(stored)s; the study was drawn from it on %(made)s.") % days


def _other_sides(last: ImportCounts) -> str:
    """Return what the last import left out of patients with the finding, "" if it wanted both sides."""
    if last.other_sides is None:
        return ""
    return _(
        "Of patients with the finding only the affected side was imported; %(count)s images of the other side were "
        "left out."
    ) % {"count": last.other_sides}
