"""The protocol file of a study: its protocol, and under `readers` what it asks of its readers.

sessions:
- kind: blinded
  title: Reading A
readers:
  consent_version: 2
  consent_texts: {en: I agree to …, de: Ich stimme zu …}
  asked: [years, specialty]
"""

from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _

from readerstudy.errors import BadInput
from readerstudy.modalities.words import ReadingWords
from readerstudy.participation.reader_protocol import ReaderProtocol, reader_protocol
from readerstudy.protocol.document import Protocol
from readerstudy.protocol.values import read_value
from readerstudy.protocol.yaml_file import MOST_BYTES, protocol_of_table, read_table, sparse, write_table
from readerstudy.studies.models import Study


@dataclass(frozen=True)
class StudyDesign:
    """What a protocol file holds. `readers` None: the file does not say anything about them."""

    protocol: Protocol
    readers: ReaderProtocol | None = None


def design_of(study: Study) -> StudyDesign:
    """Return everything that a protocol file says of the study."""
    return StudyDesign(study.protocol, reader_protocol(study))


def write_design(design: StudyDesign) -> str:
    """Return the design as the text of a file. Values that are the default are left out."""
    readers = {} if design.readers is None else {"readers": sparse(design.readers)}
    return write_table({**sparse(design.protocol), **readers})


def read_design(content: bytes, *, words: ReadingWords) -> StudyDesign:
    """Return the design of a file's content, checked. Raises BadInput with the location of an error.

    `words` are those of the cohort's modality, for the questions that a file names.
    """
    table = read_table(content)
    readers: ReaderProtocol | None = None
    if "readers" in table:
        readers = read_value(ReaderProtocol, table.pop("readers"), "protocol readers")
    return StudyDesign(protocol_of_table(table, words=words), readers)


def read_design_file(path: Path, *, words: ReadingWords) -> StudyDesign:
    """Return the design of a file. Raises BadInput, with the location, if it cannot be read or breaks a rule."""
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        values = {"path": path, "problem": error.strerror}
        raise BadInput(_("The protocol %(path)s cannot be read: %(problem)s.") % values) from error
    return read_design(content, words=words)
