"""Habits of language that the project avoids, as patterns, and the prose of a file line by line."""

import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
Line = tuple[int, str]  # number from 1, text

FSTRING_MIDDLE = getattr(tokenize, "FSTRING_MIDDLE", None)  # f-strings are tokens of their own since Python 3.12
# Nouns for which "is no X" is an unidiomatic "is not an X". "There is no X" is fine.
NOUNS = "picture|image|file|folder|number|name|word|run|UUID|study|reader|verdict|fault|contradiction|secret|problem"
PROGRAMS = "software|code|file|module|class|function|test|command|page|server|database|network|worker|job|program|table"


@dataclass(frozen=True)
class Habit:
    """A pattern in the prose of a file, what to write instead, and the reason."""

    pattern: str
    instead: str
    reason: str

    def find(self, text: str) -> str | None:
        """Return the first phrase of the text that has the habit."""
        match = re.search(rf"(?i:{self.pattern})", text)
        return match[0].strip() if match else None


FIELD, IDIOM, PERSON, PICTURE = (
    "the field has a word for it",
    "unidiomatic",
    "software is not a person",
    "a metaphor that has to be guessed",
)
HABITS = (
    Habit(r"\btwins?\b", "adversarial image", FIELD),
    Habit(r"\bharden(s|ed|ing)?\b", "adversarially trained, adversarial training", FIELD),
    # The verb is a reader's or the server's: "the readers judged".
    Habit(
        r"\b(an?|the|its|another|each|every|this|that|frozen|fixed|resting|independent) judges?\b|\bjudge[’']s\b",
        "target classifier, discriminator",
        FIELD,
    ),
    Habit(r"\b(networks?|classifiers?|detectors?|discriminators?|generators?) judg\w+", "classifies, evaluates", FIELD),
    Habit(r"\bfakes?\b", "adversarial image", FIELD),
    Habit(
        r"(?<!digitised )(?<!cohort )\bfilms?\b(?!\\?\.\w)",
        "image; digitised film only where the medium matters",
        FIELD,
    ),
    Habit(r"\bwom[ae]n\b|\bof hers\b", "patient, patients", FIELD),
    Habit(r"\bsittings?\b", "session", FIELD),
    Habit(r"\bnoughts?\b", "zero", IDIOM),
    Habit(r"\bcopiers?\b", "identity baseline", FIELD),
    Habit(r"\b(the|its|their|a) finish\b(?! (line|time))", "post-processing", FIELD),
    Habit(r"\bcarried (up|through)\b", "upsampled; full-resolution gradient", FIELD),
    Habit(r"\bwho fools whom\b", "transferability matrix", FIELD),
    Habit(r"\bwire\b", "API", PICTURE),
    # Of pictures and columns it is meant as it is said.
    Habit(
        r"\b(runs?|running|work(ing)?|trained|jobs|processes|threads|stands?|commands|evaluated) side by side\b",
        "in parallel",
        FIELD,
    ),
    Habit(
        r"\b(houses?|storeys?|duels?|turncoats?|dealt into|heart of|signs? of life|hunger)\b", "the plain term", PICTURE
    ),
    Habit(r"\bhung\b|\bfilms hang\b", "displayed", PICTURE),
    Habit(r"\b(is|are|was|were|be|been|being|gets?) told\b", "receives; is named in; shows", PERSON),
    Habit(
        rf"\b(?:{PROGRAMS})s? (?:knows?|wants?|thinks?|looks?|remembers?|believes?|forgets?)\b",
        "has, reads, stores",
        PERSON,
    ),
    Habit(r"\bwhat (stands|stood)\b|\bstands? (against|behind|between|beside)\b", "name the thing", IDIOM),
    Habit(r"\bwho (names|asks for|gives|has) no\b|\bwhoever\b", "a noun: requests without a page id", IDIOM),
    Habit(r"\bfor ever\b", "forever, permanently", IDIOM),
    Habit(rf"(?<!there )\b(is|are|was|were) no (?:{NOUNS})s?\b", "is not a ...", IDIOM),
    Habit(r"\b(none|zero|0|nothing|empty|true|false|\w+error|http404|undefined) where\b", "if, when", IDIOM),
    Habit(r"\bwhere (nothing|nobody|there is no|it has no|none)\b", "if, when", IDIOM),
    Habit(r"\b(at most|after|of|at least|in) so many\b", "this number of", IDIOM),
    Habit(r"\ba sentence each\b|\btold apart\b", "one sentence per reason; distinguished", IDIOM),
    Habit(r"\bmade-up\b", "synthetic, random", IDIOM),
    Habit(r"\bsees? to (it|them|that)\b", "ensures", IDIOM),
)
# Phrases that a file may use, in lower case, with the reason.
EXCEPTIONS: dict[str, dict[str, str]] = {}


def find_habits(path: Path, root: Path) -> list[str]:
    """Return a message for each line of the file that has a habit: place, phrase, what to write and why."""
    name = path.relative_to(root).as_posix()
    messages = []
    for number, line in prose(path):
        for habit in HABITS:
            phrase = habit.find(line)
            if phrase and phrase.lower() not in EXCEPTIONS.get(name, {}):
                messages.append(f"{name}:{number}: “{phrase}” ({habit.reason}); write: {habit.instead}")
    return messages


def prose(path: Path) -> Iterator[Line]:
    """Yield the lines of a file that people read: no names, no code.

    Python: comments and strings with a blank. JavaScript and CSS: comments, and strings with a blank. Markdown: text
    outside code. Templates: text outside tags, and the texts to translate.
    """
    text = path.read_text(encoding="utf-8")
    yield from {".py": _python, ".js": _script, ".css": _script, ".md": _markdown, ".html": _template}[path.suffix](
        text
    )


def _lines(start: int, text: str) -> Iterator[Line]:
    for number, line in enumerate(text.splitlines(), start):
        yield number, re.sub(r"`[^`]*`", "", line)


def _python(text: str) -> Iterator[Line]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield from _lines(token.start[0], token.string)
        elif token.type == tokenize.NAME and token.string.startswith("test_"):  # the name of a test is a sentence
            yield token.start[0], token.string.replace("_", " ")
        elif token.type in (tokenize.STRING, FSTRING_MIDDLE) and " " in token.string.strip():
            yield from _lines(token.start[0], re.sub(r"\{[^{}\n]*\}", "", token.string))


SCRIPT = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'|`(?:[^`\\]|\\.)*`', re.DOTALL)


def _script(text: str) -> Iterator[Line]:
    for match in SCRIPT.finditer(text):
        if " " in match[0].strip():
            start = text.count("\n", 0, match.start()) + 1
            yield from enumerate(match[0].splitlines(), start)


def _markdown(text: str) -> Iterator[Line]:
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("```"):
            fenced = not fenced
        elif not fenced and not line.startswith("    "):
            yield number, re.sub(r"`[^`]*`|\]\([^)]*\)", "", line)


def _template(text: str) -> Iterator[Line]:
    def blank(match: re.Match[str]) -> str:
        """Keep the quoted texts of a translation, and all line breaks."""
        kept = " ".join(re.findall(r'"([^"]*)"', match[0])) if "translate" in match[0] else ""
        return kept + "\n" * match[0].count("\n")

    without_attributes = re.sub(
        r'\b(class|id|href|src|for|name|rel|type|value|data-[\w-]+|hx-[\w-]+)="[^"]*"', "", text
    )
    yield from enumerate(re.sub(r"\{%.*?%\}|\{\{.*?\}\}", blank, without_attributes, flags=re.DOTALL).splitlines(), 1)
