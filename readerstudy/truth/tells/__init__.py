"""Traces of processing that would give imported adversarial images away, whatever they show."""

from readerstudy.truth.tells.compare import Tells, find_tells
from readerstudy.truth.tells.sentences import FactRow, TellSentence, combined_sentence, fact_rows, tell_sentences
from readerstudy.truth.tells.unpaired import find_unpaired_tells

__all__ = [
    "FactRow",
    "TellSentence",
    "Tells",
    "combined_sentence",
    "fact_rows",
    "find_tells",
    "find_unpaired_tells",
    "tell_sentences",
]
