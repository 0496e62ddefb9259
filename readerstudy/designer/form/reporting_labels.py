"""Names and explanations of what the reporting checklists ask of the authors, in the order of the form."""

from collections.abc import Mapping
from typing import Final

from django.utils.translation import gettext_lazy as _

from readerstudy.designer.form.row import Row, Section

REPORTING: Final[Mapping[str, Row]] = {
    "title": Row(
        _("Title of the publication"),
        _("As planned. It names artificial intelligence, the kind of study, and a measure of accuracy."),
        Section.PUBLICATION,
    ),
    "background": Row(
        _("Background"), _("The clinical and scientific question, and what is known of it."), Section.PUBLICATION
    ),
    "intended_use": Row(
        _("Intended use"),
        _("What the method is for, its place in the workflow, who would use it and with which expertise."),
        Section.PUBLICATION,
    ),
    "ethics": Row(
        _("Ethics approval"),
        _("The committee with the number and date of its approval, or why none was needed."),
        Section.PERMISSION,
    ),
    "registration": Row(
        _("Registration"),
        _("The register and the number of the study, or that it is not registered."),
        Section.PERMISSION,
    ),
    "funding": Row(_("Funding"), _("Its sources and their role in the study."), Section.PERMISSION),
    "interests": Row(
        _("Interests of the authors"),
        _("Commercial and other competing interests, or that there are none."),
        Section.PERMISSION,
    ),
    "protocol_access": Row(_("Access to the protocol"), _("Where the full protocol can be read."), Section.PERMISSION),
    "availability": Row(
        _("Access to data, code and weights"),
        _("Where they can be had, under which licence, and what cannot be shared."),
        Section.PERMISSION,
    ),
    "eligibility": Row(
        _("Eligibility criteria"),
        _("Of patients and of images, in the order in which they were applied."),
        Section.PATIENTS,
    ),
    "identification": Row(
        _("Identification of patients"),
        _("How patients who might be eligible were found: by symptoms, earlier findings, a register."),
        Section.PATIENTS,
    ),
    "setting": Row(_("Setting and dates"), _("Where and when the images were acquired."), Section.PATIENTS),
    "series": Row(
        _("Kind of series"),
        _("Whether the patients of the cohort are consecutive, a random sample or a convenience sample."),
        Section.PATIENTS,
    ),
    "participants": Row(
        _("Characteristics of the patients"),
        _("Age, sex and further characteristics, in each split if they differ."),
        Section.PATIENTS,
    ),
    "data_source": Row(
        _("Source of the data"),
        _("The institution or the public data set, and why it collected the data."),
        Section.PATIENTS,
    ),
    "acquisition": Row(
        _("Acquisition"), _("Manufacturer and model of the devices, and the protocols."), Section.PATIENTS
    ),
    "prevalence": Row(
        _("Distribution of the condition"),
        _("How the shares of adversarial images and of findings compare with the intended use."),
        Section.PATIENTS,
    ),
    "reference_standard": Row(
        _("Reference standard of the pathology"),
        _("For example biopsy, or follow-up of how long. What is adversarial is known by construction."),
        Section.CONDUCT,
    ),
    "annotators": Row(
        _("Annotators"), _("Who annotated the pathology, with which qualification, and how."), Section.CONDUCT
    ),
    "recruitment": Row(_("Recruitment of readers"), _("How they were found and chosen."), Section.CONDUCT),
    "displays": Row(_("Displays and rooms"), _("Monitors, their calibration, and the light."), Section.CONDUCT),
    "sample_size": Row(
        _("Reason of the size"),
        _("How the numbers of readers and images were determined. Not needed if a sizing is kept."),
        Section.CONDUCT,
    ),
    "networks": Row(
        _("Networks"), _("The architecture of each network, and the software of its training."), Section.CONDUCT
    ),
    "fairness": Row(
        _("Fairness"), _("Whether groups of patients are compared, and which; or why not."), Section.LIMITS
    ),
    "ethical_use": Row(_("Ethical considerations"), _("Of using such a method, and of attacks on it."), Section.LIMITS),
    "limitations": Row(
        _("Known limitations"), _("Bias of the cohort, and to whom the results will apply."), Section.LIMITS
    ),
}
