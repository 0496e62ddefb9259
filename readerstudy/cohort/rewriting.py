"""Rewriting a cohort's stimulus files in random order, so that the file system does not tell real from adversarial."""

from collections.abc import Callable
from pathlib import Path
from random import SystemRandom

from django.conf import settings
from django.db import transaction

from readerstudy.cohort.models import Cohort, Stimulus
from readerstudy.cohort.storage import replace_file
from readerstudy.errors import StudyError

Progress = Callable[[int, int], None]


@transaction.atomic
def rewrite_files(cohort: Cohort, *, progress: Progress = lambda done, total: None) -> int:
    """Replace every stimulus file of the cohort by a copy of itself, in random order; return how many there were.

    Real images are imported before adversarial ones are made from them, so inode numbers and times of change (ctime)
    are in the order of the truth until then. Nothing is done if no stimulus was added since the last time.

    Names and contents stay the same, so requests of readers and running jobs are not affected, and an interruption
    loses no file. Missing files are skipped.
    Raises StudyError if a file cannot be written.
    """
    # One process at a time; rows that refer to the cohort can be added meanwhile.
    cohort = Cohort.objects.select_for_update(no_key=True).get(pk=cohort.pk)
    files = list(Stimulus.objects.filter(image__exam__patient__cohort=cohort).values_list("file", flat=True))
    if len(files) == cohort.rewritten_files:
        return 0
    SystemRandom().shuffle(files)
    for done, file in enumerate(files, start=1):
        _rewrite(Path(settings.MEDIA_ROOT) / file)
        progress(done, len(files))
    cohort.rewritten_files = len(files)
    cohort.save(update_fields=["rewritten_files"])
    return len(files)


def _rewrite(path: Path) -> None:
    try:
        replace_file(path, path.read_bytes())
    except FileNotFoundError:
        return
    except OSError as error:
        raise StudyError(f"The image file {path.name} could not be rewritten: {error.strerror}.") from error
