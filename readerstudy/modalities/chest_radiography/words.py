"""What pages, jobs and reports say about chest radiographs."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from readerstudy.modalities.words import LabWords, ReadingWords, ReportWords, Words

WORDS: Final = Words(
    reading=ReadingWords(
        image=_("Chest radiograph"),
        this_image_is=_("This radiograph is"),
        this_image_is_real=_("This radiograph is real."),
        real_image=_("Real radiograph"),
        same_image_altered=_("The same radiograph, altered"),
        display_too_small=_("This display is too small for chest radiographs"),
        upper_window=_("Mediastinum"),
        familiarisation=_(
            "All radiographs in this session are real. View each one for as long as you like, then continue to the "
            "next. No questions are asked. The session shows you how the images look on this display."
        ),
        blinded=_(
            "Some of these radiographs may have been altered by a computer. For each one decide: real, altered (“not "
            "real”), or unsure. Take as long as you would at work. You cannot change an answer or go back."
        ),
        not_real_means=_("a real radiograph of which an attack on an AI system altered a part."),
        education=_(
            "Each page shows a real radiograph, the same radiograph altered by a computer, and the difference between "
            "the two (real minus altered). No questions are asked. View each page for as long as you like, then "
            "continue."
        ),
        score_means=_("0: no sign of a nodule. 1: certain signs of a nodule."),
        diagnosis_negative=_("No nodule"),
        diagnosis_positive=_("Nodule"),
    ),
    lab=LabWords(
        drawing_phantoms=_("Drawing chest radiographs"),
        inserted=_("Altered so that the AI sees a nodule"),
        removed=_("Altered so that the AI sees no nodule"),
        of_finding=_("of a nodule"),
        mean_probability=_("Mean probability of a nodule"),
        share_positive=_("Share with a nodule"),
        compared_with_other=_(
            "At the threshold from the tuning split. Each kind of lesion is compared with all images without a nodule. "
            "There are many small subgroups: the table is exploratory and tests no hypothesis."
        ),
        balanced_training=_(
            "Expected calibration error (ECE) over bins of equal count, and Brier score, before and after "
            "recalibrating the logits on the tuning split. Training uses as many images with a nodule as without, so "
            "the raw probability is not the share in the cohort."
        ),
        changed_outside=_("Changed pixels outside the body"),
        change_in_lesion=_("Change in the lesion relative to the body"),
        deepest_position=_("at the deepest point of the body"),
        random_position=_("anywhere in the body"),
    ),
    report=ReportWords(
        patients_with_finding=_("%(count)s of the patients with a nodule"),
        with_finding=_("With a nodule: %(parts)s."),
        probability=_("Classifier’s probability of a nodule"),
        each_dot=_(
            "Each dot is one image: the classifier’s probability of a nodule for the image shown, and the share of "
            "readers’ verdicts that called it not real (“unsure” does not count as such). Positive and negative refer "
            "to the patient’s own finding. The black line is the mean share in each fifth of the scale."
        ),
        small_images=_(
            "From the two sessions that the plan compares. Each adversarial image is beside its source image and their "
            "difference: grey means no change, brighter that the adversarial image is darker there, darker that it is "
            "brighter. The images are small, with contrast set within the body, so they are not suitable for reading. "
            "With many images, those at either end are there partly by chance."
        ),
        positive_means=_(
            "Images of each session as planned, and as drawn from the stored seed. Positive means a nodule; negative "
            "means another finding or normal."
        ),
        counted_by_source=_(
            "Adversarial images count by the finding of their source image, whatever they look like now."
        ),
        different_questions=_(
            "The readers were not asked for a diagnosis, so this table has no rows for readers: they judged whether an "
            "image is real, the classifier whether it shows a nodule."
        ),
    ),
)
