"""Find the image behind a code of the corner sheets, at the server's terminal."""

from argparse import ArgumentParser
from typing import Any

from readerstudy.cohort.models import Image, Stimulus
from readerstudy.commands import StudyCommand
from readerstudy.errors import NotFound
from readerstudy.studies.corners import squares_of
from readerstudy.studies.models import Study


class Command(StudyCommand):
    help = (
        "Print the patient and the files of the image that has the code IMAGE on the page Corners of the study CODE. "
        "They can tell when the image was imported, so keep them from people who must stay blind."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("code", metavar="CODE", help="the code of the study")
        parser.add_argument("image", metavar="IMAGE", help="the code of the image on the page")

    def handle(self, *args: Any, **options: Any) -> None:
        study = Study.named(options["code"])
        key = next((square.image for square in squares_of(study) if square.code == options["image"].lower()), None)
        if key is None:
            raise NotFound(f"No image of {study.code} has the code {options['image']!r}.")
        image = Image.objects.select_related("exam__patient").get(pk=key)
        files = sorted(str(stimulus.path) for stimulus in Stimulus.objects.filter(image=image))
        found = {"patient": image.exam.patient.pseudonym, "cohort": study.cohort.name, "files": files}
        text = f"Patient {found['patient']} of the cohort {found['cohort']}:\n" + "\n".join(files)
        self.show(found, text, as_json=options["json"])
