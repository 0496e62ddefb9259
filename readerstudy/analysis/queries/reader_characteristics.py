"""What readers told about themselves, as counts: nobody is named, and no answer is joined to another or to a code."""

from collections import Counter

from readerstudy.analysis.queries.withdrawals import analysed_readers
from readerstudy.analysis.record.reader_characteristics import ReaderCharacteristic, years_band
from readerstudy.participation.models import Characteristic, ReaderProfile, ReaderRules
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.studies.models import Study


def reader_characteristics(study: Study, plan: AnalysisPlan) -> tuple[ReaderCharacteristic, ...]:
    """Return the counts of each characteristic that the study asks for, over the readers of the analysis."""
    asked = ReaderRules.of(study).asked
    readers = analysed_readers(study, plan)
    profiles = list(ReaderProfile.objects.filter(enrollment__study=study, enrollment__code__in=readers))
    return tuple(_counted(each, profiles, len(readers)) for each in Characteristic if each.value in asked)


def _counted(characteristic: Characteristic, profiles: list[ReaderProfile], readers: int) -> ReaderCharacteristic:
    values = [getattr(profile, characteristic.value) for profile in profiles]
    answers = [value for value in values if value not in (None, "")]
    if characteristic == Characteristic.YEARS:
        answers = [years_band(years) for years in answers]
    return ReaderCharacteristic(characteristic.value, Counter(sorted(answers)), readers - len(answers))
