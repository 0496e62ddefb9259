"""What pages, jobs and reports say about mammograms."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from readerstudy.modalities.words import LabWords, ReadingWords, ReportWords, Words

WORDS: Final = Words(
    reading=ReadingWords(
        image=_("Mammogram"),
        this_image_is=_("This mammogram is"),
        this_image_is_real=_("This mammogram is real."),
        real_image=_("Real mammogram"),
        same_image_altered=_("The same mammogram, altered"),
        display_too_small=_("This display is too small for mammograms"),
        upper_window=_("Dense tissue"),
        familiarisation=_(
            "All mammograms in this session are real. View each one for as long as you like, then continue to the "
            "next. No questions are asked. The session shows you how the images look on this display."
        ),
        blinded=_(
            "Some of these mammograms may have been altered by a computer. For each one decide: real, altered (“not "
            "real”), or unsure. Take as long as you would at work. You cannot change an answer or go back."
        ),
        not_real_means=_("a real mammogram of which an attack on an AI system altered a part."),
        education=_(
            "Each page shows a real mammogram, the same mammogram altered by a computer, and the difference between "
            "the two (real minus altered). No questions are asked. View each page for as long as you like, then "
            "continue."
        ),
        score_means=_("0: no sign of cancer. 1: certain signs of cancer."),
        diagnosis_negative=_("No sign of cancer"),
        diagnosis_positive=_("Signs of cancer"),
    ),
    lab=LabWords(
        drawing_phantoms=_("Drawing mammograms"),
        inserted=_("Altered so that the AI sees cancer"),
        removed=_("Altered so that the AI sees no cancer"),
        of_finding=_("of malignancy"),
        mean_probability=_("Mean probability of cancer"),
        share_positive=_("Share malignant"),
        compared_with_other=_(
            "At the threshold from the tuning split. Each kind of lesion is compared with all images without cancer. "
            "There are many small subgroups: the table is exploratory and tests no hypothesis."
        ),
        balanced_training=_(
            "Expected calibration error (ECE) over bins of equal count, and Brier score, before and after "
            "recalibrating the logits on the tuning split. Training uses as many malignant images as others, so the "
            "raw probability is not the share in the cohort."
        ),
        changed_outside=_("Changed pixels outside the breast"),
        change_in_lesion=_("Change in the lesion relative to the breast"),
        deepest_position=_("at the deepest point of the breast"),
        random_position=_("anywhere in the breast"),
    ),
    report=ReportWords(
        patients_with_finding=_("%(count)s of the patients with a malignant finding"),
        with_finding=_("With a malignant finding: %(parts)s."),
        probability=_("Classifier’s probability of cancer"),
        each_dot=_(
            "Each dot is one image: the classifier’s probability of cancer for the image shown, and the share of "
            "readers’ verdicts that called it not real (“unsure” does not count as such). Positive and negative refer "
            "to the patient’s own pathology. The black line is the mean share in each fifth of the scale."
        ),
        small_images=_(
            "From the two sessions that the plan compares. Each adversarial image is beside its source image and their "
            "difference: grey means no change, brighter that the adversarial image is darker there, darker that it is "
            "brighter. The images are small, with contrast set within the breast, so they are not suitable for "
            "reading. With many images, those at either end are there partly by chance."
        ),
        positive_means=_(
            "Images of each session as planned, and as drawn from the stored seed. Positive means malignant; negative "
            "means benign or normal."
        ),
        counted_by_source=_(
            "Adversarial images count by the pathology of their source image, whatever they look like now."
        ),
        different_questions=_(
            "The readers were not asked for a diagnosis, so this table has no rows for readers: they judged whether an "
            "image is real, the classifier whether it shows cancer."
        ),
    ),
)
