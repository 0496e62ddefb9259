"""Text files of ratings: the input of iMRMC, and a data frame as MRMCaov takes it.

iMRMC: free text with the counts N0, N1 (cases without and with the signal), NR and NM (readers, modalities), then
`BEGIN DATA:` and lines of reader, case, modality, score; the truth of each case is a line of the reader -1.
The R package's data frame has the same columns, and the word `truth` there.
MRMCaov: columns reader, treatment, case, truth, rating, as its data set VanDyke.
"""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from typing import Final

from readerstudy.statistics.rating_files.ratings import Ratings, ratings_of

BEGIN: Final = "BEGIN DATA:"
TRUTH_READERS: Final = ("-1", "truth")
FRAME: Final = ("reader", "treatment", "case", "truth", "rating")
_COUNT = re.compile(r"^\s*(N0|N1|NR|NM)\s*:\s*(\d+)", re.MULTILINE)


def write_imrmc(ratings: Ratings, *, title: str = "Ratings") -> str:
    """Return the text of a file `NAME.imrmc`. `title` becomes its first line."""
    cases = ratings.truth_of_cases()
    counts = _counts(ratings)
    lines = [" ".join(title.split()), *(f"{name}: {count}" for name, count in counts.items()), BEGIN]
    lines += [f"-1,{case},0,{truth}" for case, truth in cases.items()]
    lines += [f"{reader},{case},{condition},{_number(score)}" for reader, case, condition, _, score in ratings.rows()]
    return "\n".join(lines) + "\n"


def read_imrmc(text: str) -> Ratings:
    """Return the ratings of a `.imrmc` file, or of a CSV with iMRMC's columns (a header, then the same lines).

    Raises ValueError that names the line, for a case without a truth, and for counts that differ from the data.
    """
    head, begin, data = text.partition("BEGIN DATA")
    if not begin:
        head, _, data = text.partition("\n")
        if [cell.strip('" ') for cell in head.strip().split(",")] != ["readerID", "caseID", "modalityID", "score"]:
            raise ValueError("There is neither a line BEGIN DATA: nor the header readerID,caseID,modalityID,score.")
    else:
        data = data.partition("\n")[2]
    first = text[: len(text) - len(data)].count("\n") + 1
    truths: dict[str, float] = {}
    rows: list[tuple[str, str, str, float]] = []
    for number, row in enumerate(csv.reader(io.StringIO(data), skipinitialspace=True), start=first):
        if not any(cell.strip() for cell in row):
            continue
        reader, case, condition, score = _four(row, number)
        if reader not in TRUTH_READERS:
            rows.append((reader, case, condition, score))
        elif truths.setdefault(case, score) != score:
            raise ValueError(f"Line {number}: case {case} has both truths.")
    unknown = sorted({case for _, case, _, _ in rows} - truths.keys())
    if unknown:
        raise ValueError(f"Case {unknown[0]} has no line with its truth.")
    readers, cases, conditions, scores = zip(*rows, strict=True) if rows else ((), (), (), ())
    found = ratings_of(scores, [truths[case] for case in cases], readers, cases, conditions)
    _compare_counts(found, truths, {name: int(count) for name, count in _COUNT.findall(head)} if begin else {})
    return found


def write_mrmcaov(ratings: Ratings) -> str:
    """Return a CSV for `mrmc(empirical_auc(truth, rating), treatment, reader, case, data = read.csv(FILE))`."""
    lines = [",".join(FRAME)]
    lines += [
        f"{reader},{condition},{case},{truth},{_number(score)}"
        for reader, case, condition, truth, score in ratings.rows()
    ]
    return "\n".join(lines) + "\n"


def read_mrmcaov(text: str) -> Ratings:
    """Return the ratings of such a CSV; other columns are ignored. Raises ValueError that names what is missing."""
    table = csv.DictReader(io.StringIO(text))
    missing = [name for name in FRAME if name not in (table.fieldnames or ())]
    if missing:
        raise ValueError(f"The file lacks the column {missing[0]}; it needs {', '.join(FRAME)}.")
    rows = list(table)
    columns = {name: [row[name] for row in rows] for name in FRAME}
    scores, truths = (_numbers(columns[name], name) for name in ("rating", "truth"))
    return ratings_of(scores, truths, columns["reader"], columns["case"], columns["treatment"])


def _counts(ratings: Ratings) -> dict[str, int]:
    truths = list(ratings.truth_of_cases().values())
    readers, conditions = set(ratings.reader.tolist()), set(ratings.condition.tolist())
    return {"N0": truths.count(0), "N1": truths.count(1), "NR": len(readers), "NM": len(conditions)}


def _compare_counts(ratings: Ratings, truths: Mapping[str, float], stated: Mapping[str, int]) -> None:
    """Raise ValueError if the head of a file states other counts than its data have."""
    kinds = list(truths.values())
    counts = {**_counts(ratings), "N0": kinds.count(0), "N1": kinds.count(1)}
    for name, count in stated.items():
        if count != counts[name]:
            raise ValueError(f"The file says {name}: {count}, but its data have {counts[name]}.")


def _four(row: list[str], number: int) -> tuple[str, str, str, float]:
    cells = [cell.strip() for cell in row[:4]]
    if len(cells) < 4:
        raise ValueError(f"Line {number} has {len(cells)} cells instead of reader, case, modality and score.")
    try:
        return cells[0], cells[1], cells[2], float(cells[3])
    except ValueError as error:
        raise ValueError(f"Line {number}: the score {cells[3]!r} is not a number.") from error


def _numbers(cells: Iterable[str | None], name: str) -> list[float]:
    numbers = []
    for line, cell in enumerate(cells, start=2):
        try:
            numbers.append(float(cell or ""))
        except ValueError as error:
            raise ValueError(f"Line {line}: {name} {cell!r} is not a number.") from error
    return numbers


def _number(value: float) -> str:
    """Return whole numbers without a point, others with all digits that are needed."""
    return str(int(value)) if value == int(value) else repr(value)
