"""What would give imported images away, and what to do about it, in words."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from readerstudy.layout.numbers import localise

Text = Any  # a string, or one that is translated when it is shown


@dataclass(frozen=True)
class TellSentence:
    """A finding in words: what was found, with a number, and what to do."""

    code: str
    what: str
    advice: str


@dataclass(frozen=True)
class FactRow:
    """One compared fact, for a table: label, AUC, and the medians of real and adversarial images."""

    label: Text
    auc: str
    real: str
    adversarial: str


def tell_sentences(tells: Mapping[str, Any]) -> list[TellSentence]:
    """Return the findings of `Tells` as data, in the active language."""
    return [_sentence(finding["code"], finding["numbers"]) for finding in tells["findings"]]


def fact_rows(tells: Mapping[str, Any]) -> list[FactRow]:
    """Return every compared fact, the one that separates best first."""
    facts: Sequence[tuple[str, Mapping[str, float]]] = sorted(
        tells["facts"].items(), key=lambda item: -abs(item[1]["auc"] - 0.5)
    )
    return [
        FactRow(
            _label(name),
            localise(f"{fact['auc']:.2f}"),
            _figure(fact["real"]),
            _figure(fact["adversarial"]),
        )
        for name, fact in facts
    ]


def combined_sentence(tells: Mapping[str, Any]) -> str:
    """Return the result of all facts together; "" with too few pairs."""
    combined = tells["combined"]
    if not combined:
        return ""
    text = _(
        "All facts together separate both kinds with an AUC of %(auc)s (permutation test, p = %(p)s; .5 is chance)."
    )
    return text % {"auc": localise(f"{combined['auc']:.2f}"), "p": localise(f"{combined['p']:.3f}")}


def _sentence(code: str, numbers: Mapping[str, Any]) -> TellSentence:
    what, advice = _SENTENCES[code](numbers)
    return TellSentence(code, what, advice)


def _label(name: str) -> Text:
    return FACT_LABELS.get(name) or STORED_LABELS.get(name, name)


def _figure(value: float) -> str:
    return localise(f"{value:.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:.3g}")


def _percent(share: float) -> str:
    return localise(f"{100 * share:.0f}" if share >= 0.1 else f"{100 * share:.2g}")


def _bits_fewer(numbers: Mapping[str, Any]) -> tuple[str, str]:
    what = _(
        "The adversarial files have %(adversarial)s bits, the real ones %(real)s (%(files)s of %(of)s files): readers "
        "could see banding."
    )
    advice = _("Export them with %(real)s bits or more, without 8-bit steps in between.")
    return what % numbers, advice % numbers


def _bits_more(numbers: Mapping[str, Any]) -> tuple[str, str]:
    what = _(
        "The adversarial files have %(adversarial)s bits, the real ones %(real)s (%(files)s of %(of)s files). They "
        "were rounded to the grey levels of %(real)s bits, so readers see no difference."
    )
    return what % numbers, _("Nothing needs to be done.")


def _size(numbers: Mapping[str, Any]) -> tuple[str, str]:
    what = _(
        "The adversarial files have %(adversarial)s pixels, the real ones %(real)s (%(files)s of %(of)s pairs): they "
        "were brought to the real size, which blurs them or loses detail."
    )
    return what % numbers, _("Make the adversarial images at the size of the real files.")


def _enlarged(numbers: Mapping[str, Any]) -> tuple[str, str]:
    what = _(
        "The adversarial files have %(adversarial)s pixels (%(files)s of %(of)s files) and were enlarged to "
        "%(stored)s; the real ones have %(real)s and were not."
    )
    return what % numbers, _("Make the images at the size of the real files.")


def _empty_levels(numbers: Mapping[str, Any]) -> tuple[str, str]:
    what = _(
        "%(adversarial)s %% of the grey levels between the darkest and the brightest are empty in the adversarial "
        "files (%(adversarial_levels)s levels used), %(real)s %% in the real ones (%(real_levels)s): gaps in the "
        "histogram."
    )
    shown = {
        "adversarial": _percent(numbers["adversarial"]),
        "real": _percent(numbers["real"]),
        "adversarial_levels": _figure(numbers["adversarial_levels"]),
        "real_levels": _figure(numbers["real_levels"]),
    }
    advice = _(
        "Somewhere the values were rounded to few levels and stretched afterwards, such as 8 bits in a 16-bit file. "
        "Keep floating point or 16 bits until the file is written."
    )
    return what % shown, advice


def _softer(numbers: Mapping[str, Any]) -> tuple[str, str]:
    what = _("The adversarial files are %(share)s %% less sharp than the real ones outside the changed region.")
    advice = _(
        "Readers could see the blur. Add the change to the real pixels instead of storing what a network drew, or "
        "import with --keep-background if the blur is outside the tissue."
    )
    return what % {"share": _percent(1 - numbers["share"])}, advice


def _sharper(numbers: Mapping[str, Any]) -> tuple[str, str]:
    what = _("The adversarial files have %(share)s %% more fine detail than the real ones outside the changed region.")
    advice = _(
        "Sharpening or added noise could be seen. Leave it out, or limit the change to the region of the finding."
    )
    return what % {"share": _percent(numbers["share"] - 1)}, advice


def _blocks(numbers: Mapping[str, Any]) -> tuple[str, str]:
    what = _(
        "The adversarial files have the 8 × 8 blocks of JPEG compression: the steps at the edges of the blocks exceed "
        "others by %(share)s %%."
    )
    return what % {"share": _percent(numbers["share"])}, _(
        "Export without lossy compression, from before the first JPEG file."
    )


def _interpolation(numbers: Mapping[str, Any]) -> tuple[str, str]:
    what = _(
        "The adversarial files were enlarged: their detail varies periodically, %(adversarial)s times as strongly as "
        "by chance (real files: %(real)s times)."
    )
    shown = {name: localise(f"{numbers[name]:.1f}") for name in ("real", "adversarial")}
    advice = _(
        "They look softer when magnified. Make them at the full size, or enlarge only the change and add it to the "
        "real pixels."
    )
    return what % shown, advice


def _background(numbers: Mapping[str, Any]) -> tuple[str, str]:
    what = _(
        "%(share)s %% of the pixels around the tissue differ from the real image (grey level of the background: real "
        "%(real)s, adversarial %(adversarial)s)."
    )
    shown = {"share": _percent(numbers["share"]), **{name: _figure(numbers[name]) for name in ("real", "adversarial")}}
    return what % shown, _("Import with --keep-background: the real image’s background is put back.")


def _border(numbers: Mapping[str, Any]) -> tuple[str, str]:
    what = _(
        "The outermost pixels differ from the real image by %(share)s %% of full scale (mean grey level: real "
        "%(real)s, adversarial %(adversarial)s)."
    )
    shown = {"share": _percent(numbers["share"]), **{name: _figure(numbers[name]) for name in ("real", "adversarial")}}
    return what % shown, _(
        "Networks often draw a frame at the border. Cut it off by putting the real border back; --keep-background does "
        "so where the border is background."
    )


def _bytes(numbers: Mapping[str, Any]) -> tuple[str, str]:
    what = _("The adversarial files are %(share)s times as large as the real ones, in the same format.")
    advice = _(
        "Readers do not see it, because all images are sent with one length. It shows that the pixels are smoother or "
        "noisier, or that the files were written by another program."
    )
    return what % {"share": localise(f"{numbers['share']:.2f}")}, advice


def _fact(numbers: Mapping[str, Any]) -> tuple[str, str]:
    what = _(
        "%(fact)s alone separates both kinds with an AUC of %(auc)s (median: real %(real)s, adversarial "
        "%(adversarial)s)."
    )
    shown = {
        "fact": _label(numbers["name"]),
        "auc": localise(f"{numbers['auc']:.2f}"),
        **{name: _figure(numbers[name]) for name in ("real", "adversarial")},
    }
    return what % shown, _("If the attack itself does not cause this, look for the step of the export that does.")


def _combined(numbers: Mapping[str, Any]) -> tuple[str, str]:
    what = _("A simple program that knows these facts only separates both kinds with an AUC of %(auc)s (p = %(p)s).")
    shown = {"auc": localise(f"{numbers['auc']:.2f}"), "p": localise(f"{numbers['p']:.3f}")}
    return what % shown, _("Remove the causes above before readers see the images, or report them with the study.")


def _few(numbers: Mapping[str, Any]) -> tuple[str, str]:
    pairs = int(numbers["pairs"])
    what = ngettext(
        "There is only %(pairs)s pair: facts that differ by chance look like traces.",
        "There are only %(pairs)s pairs: facts that differ by chance look like traces.",
        pairs,
    )
    return what % numbers, _("Import at least %(fewest)s pairs to test this.") % numbers


def _few_images(numbers: Mapping[str, Any]) -> tuple[str, str]:
    images = int(numbers["images"])
    what = ngettext(
        "One of both kinds has only %(images)s image: facts that differ by chance look like traces.",
        "One of both kinds has only %(images)s images: facts that differ by chance look like traces.",
        images,
    )
    return what % numbers, _("Compare at least %(fewest)s images of each kind to test this.") % numbers


_SENTENCES: Final[dict[str, Callable[[Mapping[str, Any]], tuple[str, str]]]] = {
    "bits_fewer": _bits_fewer,
    "bits_more": _bits_more,
    "size": _size,
    "empty_levels": _empty_levels,
    "softer": _softer,
    "sharper": _sharper,
    "blocks": _blocks,
    "interpolation": _interpolation,
    "background": _background,
    "border": _border,
    "bytes": _bytes,
    "fact": _fact,
    "combined": _combined,
    "few": _few,
    "few_images": _few_images,
    "enlarged": _enlarged,
}

CODES: Final = tuple(_SENTENCES)

# By the names that `imaging.source_facts` and `imaging.pixel_features` give.
FACT_LABELS: Final[dict[str, Text]] = {
    "distinct levels of the file": gettext_lazy("Grey levels in the file"),
    "empty levels of the file": gettext_lazy("Empty grey levels in the file"),
    "sharpness of the file": gettext_lazy("Sharpness of the file (log10 of the Laplacian’s variance)"),
    "interpolation in the file": gettext_lazy("Periodic detail in the file"),
    "compression blocks in the file": gettext_lazy("8 × 8 blocks in the file"),
    "border of the file": gettext_lazy("Grey of the file’s border"),
    "background of the file": gettext_lazy("Grey of the file’s background"),
    "minimum": gettext_lazy("Darkest pixel"),
    "maximum": gettext_lazy("Brightest pixel"),
    "distinct values": gettext_lazy("Number of grey levels"),
    "levels of its grid": gettext_lazy("Grey levels that the image may use"),
    "exact zeros": gettext_lazy("Share of black pixels"),
    "full white": gettext_lazy("Share of white pixels"),
    "comb in the histogram": gettext_lazy("Gaps in the histogram"),
    "entropy": gettext_lazy("Entropy of the histogram"),
    "border level": gettext_lazy("Grey of the border"),
    "border spread": gettext_lazy("Spread of grey along the border"),
    "border step": gettext_lazy("Step at the border"),
    "background level": gettext_lazy("Grey of the background"),
    "noise in the tissue": gettext_lazy("Noise in the tissue"),
    "noise in the air": gettext_lazy("Noise in the background"),
    "grey of the air": gettext_lazy("Mean grey of the background"),
    "exact zeros in the air": gettext_lazy("Share of black pixels in the background"),
    "odd values in the tissue": gettext_lazy("Share of odd values in the tissue"),
    "unevenness of the last three bits": gettext_lazy("Unevenness of the last three bits"),
}

# Of synthetic images, which are compared as they are stored.
STORED_LABELS: Final[dict[str, Text]] = {
    "empty levels": gettext_lazy("Empty grey levels"),
    "sharpness": gettext_lazy("Sharpness (log10 of the Laplacian’s variance)"),
    "interpolation": gettext_lazy("Periodic detail"),
    "compression blocks": gettext_lazy("Blocks of 8 × 8 pixels"),
}
