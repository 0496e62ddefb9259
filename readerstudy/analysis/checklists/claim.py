"""The items of CLAIM, 2024 update (Tejani et al., Radiol Artif Intell 2024;6:e240300), in our own words."""

from django.utils.translation import gettext as _

from readerstudy.analysis.checklists.facts import Facts
from readerstudy.analysis.checklists.items import Item


def claim_items() -> tuple[Item, ...]:
    """The items in their order, in the words of the reader's language."""
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
        Item("1", title_or_abstract, _("That this is about artificial intelligence, and which kind"), Facts.blank),
        Item("2", title_or_abstract, _("Design, methods, results and conclusions in an abstract"), Facts.blank),
        Item("3", introduction, _("The background, and what the method is for"), Facts.blank),
        Item("4", introduction, _("Aims and hypotheses"), Facts.objective),
        Item("5", study_design, _("Whether it looks forward or back"), Facts.dates),
        Item("6", study_design, _("The goal of the study"), Facts.objective),
        Item("7", data, _("Where the data come from"), Facts.data),
        Item("8", data, _("Who was included and who was not"), Facts.left_out),
        Item("9", data, _("What was done to the data before use"), Facts.preprocessing),
        Item("10", data, _("How parts of the data were chosen"), Facts.drawn),
        Item("11", data, _("How persons were made unrecognisable"), Facts.pseudonyms),
        Item("12", data, _("What was done with missing data"), Facts.missing),
        Item("13", data, _("How the images were taken"), Facts.acquisition),
        Item("14", reference_standard, _("How the truth was obtained"), Facts.reference),
        Item("15", reference_standard, _("Why this truth was chosen"), Facts.blank),
        Item("16", reference_standard, _("Who or what made the annotations"), Facts.pathology_source),
        Item("17", reference_standard, _("How the test set was annotated"), Facts.reference),
        Item("18", reference_standard, _("How far annotators agree with each other and themselves"), Facts.agreement),
        Item("19", data_partitions, _("How data were assigned to the splits"), Facts.partitions),
        Item("20", data_partitions, _("At which level the splits share nothing"), Facts.level),
        Item("21", testing_data, _("The intended sample size"), Facts.size),
        Item("22", model, _("The networks, in detail"), Facts.runs),
        Item("23", model, _("Software and libraries"), Facts.software),
        Item("24", model, _("How parameters were initialised"), Facts.seeds),
        Item("25", training, _("How the networks were trained"), Facts.training),
        Item("26", training, _("How the final network was chosen"), Facts.blank),
        Item("27", training, _("How networks were combined"), Facts.ensemble),
        Item("28", evaluation, _("Measures of performance"), Facts.metrics),
        Item("29", evaluation, _("Measures of significance and uncertainty"), Facts.methods),
        Item("30", evaluation, _("How robust the results are"), Facts.fooled),
        Item("31", evaluation, _("How decisions of the network are explained"), Facts.blank),
        Item("32", evaluation, _("Evaluation on data of the same origin"), Facts.tested),
        Item("33", evaluation, _("Testing on data of another origin"), Facts.blank),
        Item("34", evaluation, _("Registration of the trial"), Facts.blank),
        Item("35", results_data, _("Patients and images that were included and left out"), Facts.included),
        Item("36", results_data, _("Who the patients of each split are"), Facts.baseline),
        Item("37", results_performance, _("Performance with its uncertainty"), Facts.areas),
        Item("38", results_performance, _("Diagnostic accuracy with its precision"), Facts.estimates),
        Item("39", results_performance, _("Where the network fails"), Facts.fooled),
        Item("40", discussion, _("Limits: bias, uncertainty, to whom it applies"), Facts.limits),
        Item("41", discussion, _("What it means for practice"), Facts.blank),
        Item("42", other_information, _("Where the full protocol and further detail can be read"), Facts.protocol),
        Item("43", other_information, _("Where software, networks and data can be had"), Facts.availability),
        Item("44", other_information, _("Who paid, and the part that they had; interests of the authors"), Facts.blank),
    )
