"""The page that introduces a bundle. It is in English, as the codebook is."""

from collections.abc import Sequence

from readerstudy.studies.models import Study

_TEXT = """# {title}

The record of the reader study `{code}`, exported from readerstudy. It is an RO-Crate: every file is described in
`ro-crate-metadata.json`, and listed with its SHA-256 in `manifest.json`, which is signed.
{rehearsal}
| folder | what it has |
|---|---|
| `protocol` | the protocol, the plan as it was locked, and hashes |
| `data` | tables as CSV and as Parquet, with a codebook: readings (missing ones are empty rows), images, … |
| `analysis` | every table of the report, and what they need beyond the rows |
| `record` | the hashes of the study's log, the commitment to the answer key, and a program that checks them |

## Check it
    python3 record/verifier.py record/record.jsonl [receipt of a reader ...]

needs nothing but Python 3.8 or newer. With readerstudy installed,

    ./manage.py import_bundle FILE

checks every file, verifies the record, computes every table of the report again from `data`, and shows the tables of
both side by side.

## De-identified
- No names, user names or addresses. People of the study team are T1, T2, …; readers have the code of the study.
- Reasons, remarks and free texts that people wrote are withheld.
- Pseudonyms of patients were drawn at random for this bundle. Patient identifiers and names of files of the source were
  never stored by the software. Cases and patients are numbered in the order in which the images were imported.
- Dates are shifted: day 0, the day on which the study was made, is written as 2000-01-01. Each reader's first session
  opens at the beginning of its day, and all other moments of the reader keep their distance from it.
{hidden}
## The tables
{tables}
"""
_REHEARSAL = "\n**This is a rehearsal: simulated readers gave the verdicts.**\n"
_HIDDEN = """- The hashes of images and the answer key are withheld, because another study, which is still sealed, shows
  some of the same images.
"""
_SAME = "Every table of the report is, digit for digit, that of the installation from which the bundle comes."
_OTHER = """All tables of the report are, digit for digit, those of the installation from which the bundle comes, but
for these, which state dates, names, reasons or free texts there: {differing}."""


def readme(study: Study, *, hides_files: bool, differing: Sequence[str]) -> str:
    """Return the text. `differing` are the tables that have other cells than the installation's own report."""
    return _TEXT.format(
        title=study.title,
        code=study.code,
        rehearsal=_REHEARSAL if study.is_rehearsal else "",
        hidden=_HIDDEN if hides_files else "",
        tables=_OTHER.format(differing=", ".join(differing)) if differing else _SAME,
    )
