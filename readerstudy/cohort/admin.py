"""Cohorts and their patients in the administration.

Stimuli are not here: their numbers, dates and sizes in the order of making would tell the altered ones.
"""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from readerstudy.accounts.admin import InvestigatorAdmin
from readerstudy.accounts.models import Role
from readerstudy.cohort.models import Cohort, Exam, Image, Patient
from readerstudy.vocabulary import Split


@admin.register(Cohort)
class CohortAdmin(InvestigatorAdmin):
    """Cohorts with their patients per split."""

    list_display = ("name", "modality_code", "patients", "train", "tuning", "test", "images", "created_at")
    search_fields = ("name",)
    fields = ("name", "modality_code", "is_drawn", "seed", "fractions", "layout", *list_display[2:])
    readonly_fields = list_display[2:-1]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Cohort]:
        per_split = {
            f"{split.value}_count": Count("patients", filter=Q(patients__split=split.value), distinct=True)
            for split in Split
        }
        cohorts: QuerySet[Cohort] = super().get_queryset(request)
        return cohorts.annotate(
            patient_count=Count("patients", distinct=True),
            image_count=Count("patients__exams__images", distinct=True),
            **per_split,
        )

    @admin.display(description=_("patients"))
    def patients(self, cohort: Any) -> int:
        return int(cohort.patient_count)

    @admin.display(description=_("train"))
    def train(self, cohort: Any) -> int:
        return int(cohort.train_count)

    @admin.display(description=_("tuning"))
    def tuning(self, cohort: Any) -> int:
        return int(cohort.tuning_count)

    @admin.display(description=_("test"))
    def test(self, cohort: Any) -> int:
        return int(cohort.test_count)

    @admin.display(description=_("images"))
    def images(self, cohort: Any) -> int:
        return int(cohort.image_count)


@admin.register(Patient)
class PatientAdmin(InvestigatorAdmin):
    """Pseudonymous patients."""

    roles = (Role.RESEARCHER,)
    list_display = ("pseudonym", "cohort", "split", "images")
    list_filter = ("cohort", "split")
    search_fields = ("pseudonym",)
    list_select_related = ("cohort",)
    ordering = ("cohort", "pseudonym")
    fields = ("pseudonym", "cohort", "split", "images")
    readonly_fields = ("images",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Patient]:
        patients: QuerySet[Patient] = super().get_queryset(request)
        return patients.annotate(image_count=Count("exams__images"))

    @admin.display(description=_("images"))
    def images(self, patient: Any) -> int:
        return int(patient.image_count)


@admin.register(Exam)
class ExamAdmin(InvestigatorAdmin):
    """Visits of patients."""

    roles = (Role.RESEARCHER,)
    list_display = ("patient", "number", "modality")
    list_filter = ("modality", "patient__cohort")
    search_fields = ("patient__pseudonym",)
    list_select_related = ("patient",)


@admin.register(Image)
class ImageAdmin(InvestigatorAdmin):
    """Images as imported, without their stimuli."""

    roles = (Role.RESEARCHER,)
    list_display = ("exam", "known_attributes", "source_rows", "source_columns", "source_bits")
    list_filter = ("source_bits", "exam__patient__cohort")
    search_fields = ("exam__patient__pseudonym",)
    list_select_related = ("exam__patient__cohort",)
    fields = (*list_display, "pixel_spacing_mm")
    readonly_fields = ("known_attributes",)

    @admin.display(description=_("attributes"))
    def known_attributes(self, image: Any) -> str:
        """Title and value of each attribute, in the order of the modality."""
        known = [
            (attribute.title, attribute.labels.get(image.attributes[attribute.name], image.attributes[attribute.name]))
            for attribute in image.exam.patient.cohort.modality.attributes
            if image.attributes.get(attribute.name)
        ]
        return ", ".join(f"{title}: {value}" for title, value in known)
