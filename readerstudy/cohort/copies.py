"""Search for copies of new images among the images of a cohort, so that no copies lie in two splits.

Memory stays small: 32 bytes of hash and some text for each image, and at most 40 MB of sketches. Candidates that are
neither sketched nor new are read from their stored files.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from readerstudy.cohort.models import Cohort, Image
from readerstudy.cohort.prepare import PreparedImage
from readerstudy.cohort.storage import StoredImage, fingerprint, image_fingerprint, recording_fingerprint
from readerstudy.errors import Sentence as _
from readerstudy.errors import StudyError
from readerstudy.imaging.hash_index import HashIndex
from readerstudy.imaging.image import Grey16
from readerstudy.imaging.near_copies import NEAR, Signature, Sketch, sign, words_of
from readerstudy.imaging.png16 import decode_png

# Returns the file of the real stimulus of an image at the smallest size; None if there is none.
FindFile = Callable[[int], Path | None]
Kind = Literal["exact", "near", "recording"]

_SKETCHES: Final = 5000  # in memory, 8 kB each


@dataclass(eq=False)
class KnownImage:
    """An image of the cohort, or one that is about to be stored. `key` is None until then."""

    name: str  # of the file; "" if it was imported earlier
    patient: str  # fingerprint
    pixels: str  # fingerprint
    pseudonym: str = ""
    recording: str = ""  # fingerprint
    split: str = ""
    moment: str = ""
    key: int | None = None
    file: Path | None = None  # of the smallest size, if this import has stored it
    box: tuple[int, int, int, int] | None = None  # of the content in the file: top, left, rows, columns
    signature: Signature | None = field(default=None, repr=False)  # until the image is stored
    is_left_out: bool = False

    @property
    def label(self) -> str:
        """Return what a message calls the image."""
        return self.name or _("an image of patient %(patient)s from an earlier import", patient=self.pseudonym)


@dataclass(frozen=True)
class Link:
    """An image of which a new one is a copy, or that belongs to the same recording."""

    image: KnownImage
    kind: Kind
    correlation: float


class CopySearch:
    """The images of a cohort, searched for copies of new ones."""

    def __init__(self, cohort: Cohort, *, find_file: FindFile, is_dry_run: bool = False) -> None:
        self._cohort = cohort
        self._is_dry_run = is_dry_run
        self._find_file = find_file
        self._index = HashIndex()
        self._hashed: list[KnownImage] = []  # by number in the index
        self._by_pixels: dict[str, list[KnownImage]] = {}
        self._by_recording: dict[str, list[KnownImage]] = {}
        self._by_moment: dict[str, list[KnownImage]] = {}
        self._sketches: OrderedDict[int, Sketch] = OrderedDict()  # by number in the index
        for image, hash_text in _stored_images(cohort):
            self._remember(image, hash_text)

    def find_known(self, patient: str, prepared: PreparedImage) -> KnownImage | None:
        """Return the patient's image with the same pixels, stored or left out, with this file name if it has none."""
        pixels = image_fingerprint(prepared)
        known = next((image for image in self._by_pixels.get(pixels, ()) if image.patient == patient), None)
        if known:
            known.name = known.name or prepared.source.name
        return known

    def add(self, patient: str, prepared: PreparedImage) -> tuple[KnownImage, tuple[Link, ...]]:
        """Remember a new image; return it, and what it is a copy of among the images before it."""
        image = KnownImage(
            name=prepared.source.name,
            patient=patient,
            pixels=image_fingerprint(prepared),
            recording=recording_fingerprint(self._cohort, prepared.source.recording),
            signature=prepared.signature,
        )
        links = tuple(self._links(image))
        number = self._remember(image, prepared.signature.text if prepared.signature else "")
        if prepared.signature and number is not None:
            self._keep_sketch(number, prepared.signature.sketch)
        return image, links

    def was_stored(self, image: KnownImage, stored: StoredImage) -> None:
        """Note where a new image was stored; from now on it is read from there."""
        image.key, image.box, image.signature = stored.image.pk, stored.prepared.placement.box, None
        smallest = self._cohort.resolutions[-1]
        image.file = next(stimulus.path for stimulus in stored.stimuli if stimulus.resolution == smallest)

    def was_checked(self, image: KnownImage, prepared: PreparedImage, file: Path) -> None:
        """Note the file of a new image of a dry run at the smallest size; from now on it is read from there."""
        image.box, image.signature, image.file = prepared.placement.box, None, file

    def join(self, image: KnownImage, links: Iterable[Link]) -> None:
        """Give the image the moment that it shares with those it is linked to; they may get it now, or another one."""
        linked = [link.image for link in links if not link.image.is_left_out]
        if not linked and not image.recording:
            return
        moments = list(dict.fromkeys(other.moment for other in (*linked, *self._parts(image)) if other.moment))
        if moments:
            moment = moments[0]
        else:
            moment = image.recording or fingerprint(f"moment:{self._cohort.name}:{linked[0].pixels}")
        joining = [other for other in linked if not other.moment]
        joining += [other for merged in moments[1:] for other in self._by_moment.pop(merged)]
        keys = [other.key for other in joining if other.key is not None]
        if not self._is_dry_run:
            Image.objects.filter(pk__in=keys).update(moment=moment)
        for member in (*joining, image):
            member.moment = moment
            self._by_moment.setdefault(moment, []).append(member)

    def _links(self, image: KnownImage) -> Iterator[Link]:
        """Yield exact copies and near-copies, one image of each moment, and a part of the recording of each patient."""
        linked: list[KnownImage] = []

        def is_new(other: KnownImage) -> bool:
            """Return whether a link to the image would say anything: one link to each moment is enough."""
            known = any(other is one or (other.moment and other.moment == one.moment) for one in linked)
            return not (known or other.is_left_out)

        for other in filter(is_new, self._by_pixels.get(image.pixels, ())):
            linked.append(other)
            yield Link(other, "exact", 1.0)
        numbers = self._index.candidates(image.signature.words) if image.signature else []
        for number in numbers:
            other = self._hashed[number]
            correlation = self._correlation(image.signature, number) if image.signature and is_new(other) else 0.0
            if correlation >= NEAR:
                linked.append(other)
                yield Link(other, "near", correlation)
        patients = set()
        for other in filter(is_new, self._parts(image)):
            if other.patient not in patients:  # a patient's parts are in one split
                patients.add(other.patient)
                yield Link(other, "recording", 0.0)

    def _parts(self, image: KnownImage) -> list[KnownImage]:
        """Return the other parts of the image's recording."""
        parts = self._by_recording.get(image.recording, []) if image.recording else []
        return [part for part in parts if part is not image and not part.is_left_out]

    def _correlation(self, signature: Signature, number: int) -> float:
        """Return the correlation with an image of the index; 0 if their sketches differ or its file is unreadable."""
        sketch = self._sketches.get(number)
        if sketch and not signature.sketch.resembles(sketch):
            return 0.0
        other = self._signature(number)
        if other is None or not signature.sketch.resembles(other.sketch):
            return 0.0
        return signature.correlation(other)

    def _signature(self, number: int) -> Signature | None:
        image = self._hashed[number]
        signature = image.signature or self._read(image)
        if signature:
            self._keep_sketch(number, signature.sketch)
        return signature

    def _read(self, image: KnownImage) -> Signature | None:
        """Return the signature of a stored image from its file, or None."""
        path = image.file
        if path is None and image.key is not None:
            path = self._find_file(image.key)
        if path is None or image.box is None:
            return None
        top, left, rows, columns = image.box
        try:
            framed: Grey16 = decode_png(path)
        except (OSError, StudyError):
            return None
        return sign(framed[top : top + rows, left : left + columns])

    def _keep_sketch(self, number: int, sketch: Sketch) -> None:
        self._sketches[number] = sketch
        self._sketches.move_to_end(number)
        if len(self._sketches) > _SKETCHES:
            self._sketches.popitem(last=False)

    def _remember(self, image: KnownImage, hash_text: str) -> int | None:
        """Add an image to all tables; return its number in the index, None without a hash."""
        self._by_pixels.setdefault(image.pixels, []).append(image)
        if image.recording:
            self._by_recording.setdefault(image.recording, []).append(image)
        if image.moment:
            self._by_moment.setdefault(image.moment, []).append(image)
        if not hash_text:
            return None
        self._hashed.append(image)
        return self._index.add(words_of(hash_text))


def _stored_images(cohort: Cohort) -> Iterator[tuple[KnownImage, str]]:
    """Yield the images of earlier imports, in the order of storing, with their hashes."""
    patient = "exam__patient"
    rows = Image.objects.filter(exam__patient__cohort=cohort).order_by("pk").values_list(
        "pk", "fingerprint", "recording", "moment", "signature",
        f"{patient}__fingerprint", f"{patient}__split", f"{patient}__pseudonym",
    )  # fmt: skip
    for key, pixels, recording, moment, signature, owner, split, pseudonym in rows.iterator():
        box = signature.get("box")
        image = KnownImage(
            name="",
            patient=owner,
            pseudonym=pseudonym,
            pixels=pixels,
            recording=recording,
            split=split,
            moment=moment,
            key=key,
            box=tuple(box) if box else None,
        )
        yield image, signature.get("hash", "")
