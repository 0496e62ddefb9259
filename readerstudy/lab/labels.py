"""Labels and units of the settings and measurements that jobs store.

`NAMES` and `VALUES` are for every modality. `Labels` puts the words of one modality in place of some.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from django.utils.translation import gettext_lazy as _

from readerstudy.experiments.fields import METHODS, STRENGTH
from readerstudy.experiments.kinds import Text
from readerstudy.modalities import layout_labels
from readerstudy.modalities.words import LabWords
from readerstudy.truth.terms import DIRECTION_LABELS


class Unit(Enum):
    """How a value is written."""

    PLAIN = "plain"  # as it is, figures short
    TIME = "time"  # seconds
    SHARE = "share"  # of 1, in per cent
    LEVELS = "levels"  # 16-bit grey levels
    DECIBEL = "decibel"


NAMES: Final[dict[str, tuple[Text, Unit]]] = {
    # --- result of a training
    "tuning_auc": (_("AUC on the tuning images"), Unit.PLAIN),
    "steps": (_("Steps"), Unit.PLAIN),
    "epochs": (_("Epochs"), Unit.PLAIN),
    "best_step": (_("Best at step"), Unit.PLAIN),
    "kept_step": (_("Kept from step"), Unit.PLAIN),
    "seconds": (_("Time taken"), Unit.TIME),
    "refused_steps": (_("Refused steps (loss or gradient not finite)"), Unit.PLAIN),
    "stages": (_("Stages"), Unit.PLAIN),
    "loss": (_("Loss (running mean)"), Unit.PLAIN),
    "identity": (_("Identity loss"), Unit.PLAIN),
    "gap": (_("Gap of the discriminator"), Unit.PLAIN),
    "guidance": (_("Guidance loss of the target classifier"), Unit.PLAIN),
    "error": (_("Mean error in the disc"), Unit.PLAIN),
    "step": (_("Step"), Unit.PLAIN),
    # --- a stage
    "number": (_("Stage"), Unit.PLAIN),
    "met": (_("Criterion met"), Unit.PLAIN),
    "reason": (_("Reason for its end"), Unit.PLAIN),
    "greatest_gap": (_("Greatest gap"), Unit.PLAIN),
    "criterion_first_met": (_("Criterion first met at step"), Unit.PLAIN),
    "criterion_mean": (_("Mean compared with the criterion"), Unit.PLAIN),
    # --- a detector
    "attacks": (_("Attacks trained on"), Unit.PLAIN),
    "held_out": (_("Attacks tested on only"), Unit.PLAIN),
    "resolution": (_("Resolution"), Unit.PLAIN),
    # --- a cross-validation
    "run": (_("Run"), Unit.PLAIN),
    "folds": (_("Folds"), Unit.PLAIN),
    # --- an attack's settings
    "epsilon": (_("Budget"), Unit.LEVELS),
    "epsilon_share": (_("Budget, of full scale"), Unit.PLAIN),
    "stride": (_("Size of a step, of the budget"), Unit.SHARE),
    "step_size": (_("Size of a step"), Unit.LEVELS),
    "random_start": (_("Starts at random"), Unit.PLAIN),
    "momentum": (_("Momentum"), Unit.PLAIN),
    "iterate": (_("Which step is kept"), Unit.PLAIN),
    "restarts": (_("Restarts"), Unit.PLAIN),
    "rho": (_("Share of rising steps below which the step is halved"), Unit.SHARE),
    "inertia": (_("Inertia"), Unit.PLAIN),
    "queries": (_("Tries per image"), Unit.PLAIN),
    "share": (_("First square, of the image"), Unit.SHARE),
    "lean": (_("Largest weight of the original image"), Unit.PLAIN),
    "overshoot": (_("Overshoot beyond the decision boundary"), Unit.PLAIN),
    "back": (_("Step back towards the real image"), Unit.PLAIN),
    "searches": (_("Searches for the weight of the change"), Unit.PLAIN),
    "start": (_("First weight of the change"), Unit.PLAIN),
    "rate": (_("Learning rate"), Unit.PLAIN),
    "confidence": (_("Confidence margin"), Unit.PLAIN),
    "diameter": (_("Diameter of the patch, of the image’s height"), Unit.SHARE),
    "position": (_("Location of the patch"), Unit.PLAIN),
    "images": (_("Batch size"), Unit.PLAIN),
    "jitter": (_("Random shift during training, in pixels"), Unit.PLAIN),
    "gradient": (_("At the study’s size"), Unit.PLAIN),
    "threshold": (_("Threshold"), Unit.PLAIN),
    "weights": (_("SHA-256 of the weights"), Unit.PLAIN),
    "texture_0": (_("SHA-256 of the patch for insertion"), Unit.PLAIN),
    "texture_1": (_("SHA-256 of the patch for removal"), Unit.PLAIN),
    "strength": (_("Strength"), Unit.PLAIN),
    "regions": (_("Regions"), Unit.PLAIN),
    "texture": (_("Texture of what is inserted"), Unit.PLAIN),
    "margin": (_("Margin beyond the threshold"), Unit.PLAIN),
    "keep_background": (_("Background kept"), Unit.PLAIN),
    "keep_grid": (_("Grey levels of the real image kept"), Unit.PLAIN),
    "keep_range": (_("Range of the real image kept"), Unit.PLAIN),
    "description": (_("Description"), Unit.PLAIN),
    "made_by": (_("Made by"), Unit.PLAIN),
    "table_sha256": (_("SHA-256 of the imported table"), Unit.PLAIN),
    # --- similarity of an adversarial image to its source image
    "linf_levels": (_("Greatest change of a pixel"), Unit.LEVELS),
    "l2": (_("L2 norm of the change, full scale 1"), Unit.PLAIN),
    "ssim": (_("Structural similarity (SSIM)"), Unit.PLAIN),
    "ms_ssim": (_("Similarity over five scales (MS-SSIM)"), Unit.PLAIN),
    "psnr_db": (_("Signal to noise (PSNR)"), Unit.DECIBEL),
    "sharpness": (_("Sharpness (log10 of the Laplacian’s variance)"), Unit.PLAIN),
    "entropy": (_("Entropy of the histogram, bits"), Unit.PLAIN),
    "noise": (_("Noise in the tissue"), Unit.PLAIN),
    "block_artefacts": (_("Blocks of 8 × 8 pixels (0: none)"), Unit.PLAIN),
    "changed_share": (_("Pixels changed"), Unit.SHARE),
    "changed_by_a_hundredth_share": (_("Pixels changed by over a hundredth of full scale"), Unit.SHARE),
    "changed_outside_share": (_("Changed pixels outside the region"), Unit.SHARE),
    "rms_in_region_share": (_("Change in the region, root mean square"), Unit.SHARE),
    "changed_regions": (_("Connected regions changed by over a hundredth of full scale"), Unit.PLAIN),
    "lesion_energy_share": (_("Share of the squared change inside the lesion"), Unit.SHARE),
    "lesion_enrichment": (_("Change in the lesion relative to the region"), Unit.PLAIN),
    # --- a configuration
    "preset": (_("Preset"), Unit.PLAIN),
    "family": (_("Family of networks"), Unit.PLAIN),
    "rows": (_("Rows"), Unit.PLAIN),
    "columns": (_("Columns"), Unit.PLAIN),
    "precision": (_("Arithmetic"), Unit.PLAIN),
    "penalty_weight": (_("Weight of the gradient penalty"), Unit.PLAIN),
    "penalty_order": (_("Order of the gradient penalty"), Unit.PLAIN),
    "penalty_every": (_("Steps between gradient penalties"), Unit.PLAIN),
    "betas": (_("Adam’s β₁ and β₂"), Unit.PLAIN),
    "ends": (_("Training ends"), Unit.PLAIN),
    "smoothing": (_("Decay of the running means"), Unit.PLAIN),
    "save_every": (_("Saved every"), Unit.PLAIN),
    "sample_every": (_("Samples every"), Unit.PLAIN),
    "evaluate_every": (_("Evaluated every"), Unit.PLAIN),
    "keep_from": (_("Kept from"), Unit.PLAIN),
    "length": (_("Length"), Unit.PLAIN),
    "limit": (_("Maximum length"), Unit.PLAIN),
    "fnet_only": (_("Fnet alone for"), Unit.PLAIN),
    "moments": (_("Adam’s moments from the stage before"), Unit.PLAIN),
    "scale": (_("Distribution of the scale"), Unit.PLAIN),
    "align_corners": (_("Corners kept when maps are enlarged"), Unit.PLAIN),
    "images_per_class": (_("Images of each class per step"), Unit.PLAIN),
    "images_at_once": (_("Images in memory at a time"), Unit.PLAIN),
    "identity_weight": (_("Weight of the identity loss"), Unit.PLAIN),
    "discriminator_dropout": (_("Dropout of the discriminator"), Unit.PLAIN),
    "dropout": (_("Dropout"), Unit.PLAIN),
    "focal_gamma": (_("Focal loss: γ"), Unit.PLAIN),
    "class_weight": (_("Focal loss: weight of the positive class"), Unit.PLAIN),
    "fnet_rate": (_("Learning rate of Fnet"), Unit.PLAIN),
    "vnet_rate": (_("Learning rate of Vnet"), Unit.PLAIN),
    "final_rate": (_("Last factor on the learning rates"), Unit.PLAIN),
    "warmup_steps": (_("Warm-up steps"), Unit.PLAIN),
    "mean": (_("Mean subtracted from the input"), Unit.PLAIN),
    "sd": (_("Standard deviation of the input"), Unit.PLAIN),
    "vnet_layers": (_("Layers of Vnet"), Unit.PLAIN),
    "width": (_("Channels of Vnet, of VGG11’s"), Unit.SHARE),
    "fnet_convolutions": (_("Convolutions of Fnet"), Unit.PLAIN),
    "fnet_dense": (_("Dense layers of Fnet"), Unit.PLAIN),
    "compact": (_("Layers of the compact family"), Unit.PLAIN),
    "channels": (_("Channels"), Unit.PLAIN),
    "kernel": (_("Kernel"), Unit.PLAIN),
    "norm": (_("Normalised"), Unit.PLAIN),
    "norm_groups": (_("Groups of the normalisation"), Unit.PLAIN),
    "leak": (_("Leak of the activation"), Unit.PLAIN),
    "generator": (_("Generator"), Unit.PLAIN),
    "augmentation": (_("Augmentation"), Unit.PLAIN),
    "snapshots": (_("Which generator is kept"), Unit.PLAIN),
    "adversarial_training": (_("Adversarial training"), Unit.PLAIN),
    "attacked_share": (_("Attacked images of each class"), Unit.SHARE),
    "growth_start": (_("The budget grows from this part of the training"), Unit.SHARE),
    "growth_end": (_("The whole budget applies from this part of the training"), Unit.SHARE),
    # --- other parameters of jobs
    "gan_remove": (_("GAN that removes the finding"), Unit.PLAIN),
    "gan_insert": (_("GAN that inserts the finding"), Unit.PLAIN),
    "classifier": (_("Classifier"), Unit.PLAIN),
    "suffix": (_("Suffix"), Unit.PLAIN),
}

# Labels of fixed values by the name of the setting. Other texts are shown as they are.
VALUES: Final[dict[tuple[str, str], Text]] = {
    ("iterate", "best"): _("the best"),
    ("iterate", "last"): _("the last"),
    ("position", "deepest"): _("at the deepest point of the region"),
    ("position", "random"): _("anywhere in the region"),
    ("gradient", "full_resolution"): _("the gradient goes through the resampling"),
    ("gradient", "upsampled"): _("the change of the small image is upsampled"),
    **{(field.name, value): title for field in STRENGTH for value, title in field.choices},
    ("ends", "rules"): _("by the article’s stopping rules"),
    ("ends", "epochs"): _("after a number of epochs"),
    **{("resolution", name): label for name, label in layout_labels().items()},
    **{("direction", direction.value): label for direction, label in DIRECTION_LABELS.items()},
    **{("method", method.key): method.title for method in METHODS},
    ("method", "gan"): _("GAN"),
    ("method", "imported"): _("Made elsewhere"),
    ("method", "synthetic"): _("Synthetic, made elsewhere"),
    ("method", "inpainting"): _("Inpainting"),
}


@dataclass(frozen=True)
class Labels:
    """Labels in the words of a modality; with None, those for every modality."""

    words: LabWords | None = None

    def name(self, name: str) -> Text:
        """Return the label of a setting or measurement; "" if it has none."""
        own: dict[str, Text] = {}
        if self.words is not None:
            own["changed_outside_share"] = self.words.changed_outside
            own["lesion_enrichment"] = self.words.change_in_lesion
        return own.get(name) or (NAMES[name][0] if name in NAMES else "")

    def value(self, name: str, value: str) -> Text:
        """Return the label of a value of a setting; the value itself if it has none."""
        own: dict[tuple[str, str], Text] = {}
        if self.words is not None:
            own["position", "deepest"] = self.words.deepest_position
            own["position", "random"] = self.words.random_position
        return own.get((name, value)) or VALUES.get((name, value), value)
