"""The record of a study: everything that a report is made from, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass

from readerstudy.analysis.record.aid import AidRecord
from readerstudy.analysis.record.answers import AnsweredQuestion, ReaderRepeats
from readerstudy.analysis.record.attack import StudyAttack
from readerstudy.analysis.record.classifier import ClassifierRecord
from readerstudy.analysis.record.codes import NEGATIVE, POSITIVE, reader_sort_key
from readerstudy.analysis.record.conduct import StudyConduct
from readerstudy.analysis.record.confidence import ConfidenceRatings
from readerstudy.analysis.record.counts import AggregatedReadings
from readerstudy.analysis.record.detector import DetectorRecord
from readerstudy.analysis.record.reader_characteristics import ReaderCharacteristic
from readerstudy.analysis.record.withdrawal import WithdrawnReader
from readerstudy.modalities.modality import Modality


@dataclass(frozen=True)
class SessionImages:
    """The images of one session in one arm: the number planned, and those drawn.

    `drawn` counts images by (authenticity, source pathology); triptychs count as PAIR. Both leave out the `excluded`
    ones, which readers saw and the analysis does not use. `images_of` is the session whose images it shows under
    another condition, 0 for images of its own. `has_aid`: an aid was shown beside each image.
    """

    number: int
    title: str
    arm: str
    asks_for_verdict: bool
    planned: int
    drawn: Mapping[tuple[str, str], int]
    excluded: int = 0
    images_of: int = 0
    has_aid: bool = False

    def count(self, authenticity: str, pathology: str | None = None) -> int:
        """Return how many images of this kind were drawn; without `pathology`, of both pathologies."""
        pathologies = (POSITIVE, NEGATIVE) if pathology is None else (pathology,)
        return sum(self.drawn.get((authenticity, each), 0) for each in pathologies)


@dataclass(frozen=True)
class StudyRecord:
    """Everything that a report is made from. `readers` maps the code of every reader to the arm, without those
    whose readings the plan leaves out because they were withdrawn; `withdrawn` holds all who were.

    `modality` is that of the study's cohort: the report uses its words.

    `attack` is the stored evaluation of the attack, or None if there is none. `classifier` holds the scores stored by
    it, `detectors` those of detectors of adversarial images. `answers` are those to the study's questions, `repeats`
    the readings of images that were shown twice, `aids` what was displayed beside images, `confidence` the ratings of
    sessions that ask how sure readers are, or None. `conduct` describes how the study was carried out; it is None if
    the readings do not come from this installation.
    """

    code: str
    title: str
    modality: Modality
    is_rehearsal: bool
    readers: Mapping[str, str]
    image_sets: tuple[SessionImages, ...]
    readings: AggregatedReadings
    attack: StudyAttack | None = None
    conduct: StudyConduct | None = None
    classifier: ClassifierRecord | None = None
    detectors: tuple[DetectorRecord, ...] = ()
    answers: tuple[AnsweredQuestion, ...] = ()
    repeats: tuple[ReaderRepeats, ...] = ()
    aids: tuple[AidRecord, ...] = ()
    withdrawn: tuple[WithdrawnReader, ...] = ()
    reader_characteristics: tuple[ReaderCharacteristic, ...] = ()
    confidence: ConfidenceRatings | None = None

    @property
    def compares_nothing(self) -> bool:
        """Whether fewer than two sessions were planned to ask for verdicts on images of their own."""
        asking = {each.number for each in self.image_sets if each.asks_for_verdict and each.planned}
        return bool(self.image_sets) and len(asking) < 2

    @property
    def reader_order(self) -> tuple[str, ...]:
        """Every reader, enrolled or with readings, in natural order; by it a reader has one style in all figures."""
        return tuple(sorted({*self.readers, *self.readings.readers}, key=reader_sort_key))

    def show_same_images(self, first: int, second: int) -> bool:
        """Return whether two sessions showed the same images, so that readings of the two are paired."""
        source = {each.number: each.images_of or each.number for each in self.image_sets}
        return first != second and source.get(first, first) == source.get(second, second)

    @property
    def aided_sessions(self) -> tuple[int, ...]:
        """The numbers of the sessions in which an aid was shown beside each image, in order."""
        return tuple(sorted({each.number for each in self.image_sets if each.has_aid}))

    @property
    def arms(self) -> tuple[str, ...]:
        return tuple(sorted({image_set.arm for image_set in self.image_sets}))

    def sets_of_arm(self, arm: str) -> list[SessionImages]:
        """Return the image sets of an arm, ordered by session."""
        return sorted((each for each in self.image_sets if each.arm == arm), key=lambda each: each.number)

    def readers_of_arm(self, arm: str) -> list[str]:
        """Return the readers of an arm in natural order."""
        return sorted((reader for reader, own in self.readers.items() if own == arm), key=reader_sort_key)

    def left_out_of_arm(self, arm: str) -> list[str]:
        """Return the readers of an arm whose readings are left out because they were withdrawn."""
        return [each.reader for each in self.withdrawn if each.arm == arm and each.is_left_out]

    @property
    def enrolled(self) -> int:
        """The number of readers who were given lists, including those who are left out."""
        return len(self.readers) + sum(each.is_left_out for each in self.withdrawn)

    def enrolled_in_arm(self, arm: str) -> int:
        """Return the number of readers who were given lists of the arm."""
        return len(self.readers_of_arm(arm)) + len(self.left_out_of_arm(arm))

    def withdrawal(self, reader: str) -> WithdrawnReader | None:
        """Return the withdrawal of a reader, None if there was none."""
        return next((each for each in self.withdrawn if each.reader == reader), None)
