"""The items of CLAIM, 2024 update (Tejani et al., Radiol Artif Intell 2024;6:e240300), in our own words."""

from django.utils.translation import gettext as _

from readerstudy.analysis.checklists.facts import Facts
from readerstudy.analysis.checklists.items import ChecklistItem as Item


def claim_items() -> tuple[Item, ...]:
    """Return the items in their order, in the active language."""
    title_or_abstract = _("Title or abstract")
    introduction = _("Introduction")
    study_design = _("Study design")
    data = _("Data")
    reference_standard = _("Reference standard")
    data_partitions = _("Data partitions")
    testing_data = _("Testing data")
    model = _("Model")
    training = _("Training")
    evaluation = _("Evaluation")
    results_data = _("Results: data")
    results_performance = _("Results: performance")
    discussion = _("Discussion")
    other_information = _("Other information")
    return (
        Item(
            "1",
            title_or_abstract,
            _("Identification as a study of artificial intelligence, and its kind"),
            Facts.blank,
            entries=("title",),
        ),
        Item("2", title_or_abstract, _("Summary of design, methods, results and conclusions"), Facts.blank),
        Item(
            "3",
            introduction,
            _("Background, and the intended use of the method"),
            Facts.blank,
            rest=_("the background and the intended use, both"),
            entries=("background", "intended_use"),
        ),
        Item("4", introduction, _("Aims and hypotheses"), Facts.objective),
        Item("5", study_design, _("Prospective or retrospective"), Facts.dates),
        Item("6", study_design, _("Goal of the study"), Facts.objective),
        Item(
            "7",
            data,
            _("Sources of data"),
            Facts.data,
            rest=_("the institution or the public data set"),
            entries=("data_source",),
        ),
        Item(
            "8",
            data,
            _("Inclusion and exclusion criteria"),
            Facts.excluded_files,
            rest=_("the criteria by which patients and images entered the cohort"),
            entries=("eligibility",),
        ),
        Item("9", data, _("Preprocessing of data"), Facts.preprocessing),
        Item("10", data, _("Selection of data subsets"), Facts.sampling),
        Item("11", data, _("De-identification"), Facts.pseudonyms),
        Item("12", data, _("How missing data were handled"), Facts.missing),
        Item(
            "13",
            data,
            _("Image acquisition"),
            Facts.acquisition,
            rest=_("devices and protocols"),
            entries=("acquisition",),
        ),
        Item(
            "14",
            reference_standard,
            _("Definition of the reference standard"),
            Facts.reference,
            entries=("reference_standard",),
        ),
        Item("15", reference_standard, _("Rationale for the reference standard"), Facts.rationale),
        Item(
            "16",
            reference_standard,
            _("Source of the annotations"),
            Facts.pathology_source,
            rest=_("who annotated the pathology, and their qualification"),
            entries=("annotators",),
        ),
        Item("17", reference_standard, _("Annotation of the test set"), Facts.reference),
        Item(
            "18",
            reference_standard,
            _("Agreement between and within annotators"),
            Facts.agreement,
            excused=Facts.no_annotators,
        ),
        Item("19", data_partitions, _("How data were assigned to partitions"), Facts.partitions),
        Item("20", data_partitions, _("Level at which partitions are disjoint"), Facts.level),
        Item(
            "21", testing_data, _("Intended sample size"), Facts.size, rest=Facts.unknown_size, entries=("sample_size",)
        ),
        Item(
            "22",
            model,
            _("Detailed description of the models"),
            Facts.runs,
            rest=_("the architecture of each network"),
            entries=("networks",),
        ),
        Item(
            "23",
            model,
            _("Software and libraries"),
            Facts.software,
            rest=_("the version of PyTorch, from the folder of each run"),
            entries=("networks",),
        ),
        Item("24", model, _("Initialisation of parameters"), Facts.starts, rest=Facts.unknown_starts),
        Item("25", training, _("Details of the training"), Facts.training),
        Item("26", training, _("How the final model was selected"), Facts.selection),
        Item("27", training, _("Ensembling"), Facts.ensemble),
        Item("28", evaluation, _("Metrics of model performance"), Facts.metrics),
        Item("29", evaluation, _("Measures of significance and uncertainty"), Facts.methods),
        Item("30", evaluation, _("Robustness or sensitivity analysis"), Facts.robustness),
        Item("31", evaluation, _("Methods of explainability"), Facts.explained),
        Item("32", evaluation, _("Evaluation on internal data"), Facts.tested),
        Item("33", evaluation, _("Testing on external data"), Facts.external),
        Item("34", evaluation, _("Registration of the trial"), Facts.blank, entries=("registration",)),
        Item("35", results_data, _("Numbers of patients and images included and excluded"), Facts.included),
        Item(
            "36",
            results_data,
            _("Characteristics of the patients in each partition"),
            Facts.baseline,
            rest=_("the patients’ age and further characteristics"),
            entries=("participants",),
        ),
        Item("37", results_performance, _("Performance with its uncertainty"), Facts.areas),
        Item(
            "38",
            results_performance,
            _("Estimates of diagnostic accuracy with their precision"),
            Facts.diagnostic_accuracy,
        ),
        Item(
            "39",
            results_performance,
            _("Failure analysis"),
            Facts.subgroups,
            rest=_("what images with a wrong diagnosis have in common"),
        ),
        Item(
            "40",
            discussion,
            _("Limitations: bias, uncertainty, generalisability"),
            Facts.limits,
            rest=_("bias of the cohort, and to whom the results apply"),
            entries=("limitations",),
        ),
        Item("41", discussion, _("Implications for practice"), Facts.blank),
        Item(
            "42",
            other_information,
            _("Where the full protocol and further details can be accessed"),
            Facts.protocol,
            rest=_("where it can be accessed"),
            entries=("protocol_access",),
        ),
        Item(
            "43",
            other_information,
            _("Availability of software, models and data"),
            Facts.availability,
            rest=_("where data, weights and code can be had"),
            entries=("availability",),
        ),
        Item(
            "44",
            other_information,
            _("Funding, its role, and interests of the authors"),
            Facts.blank,
            rest=_("funding and interests, both"),
            entries=("funding", "interests"),
        ),
    )
