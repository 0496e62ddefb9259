"""Messages that are made without a language: English as text, said in the language of the person who reads them."""

import copy
import pickle

import pytest
from django.utils.translation import override

from readerstudy.errors import BadInput, Sentence, StudyError, joined, message_of
from readerstudy.jobs.models import Job
from readerstudy.jobs.progress_text import job_note
from readerstudy.jobs.queue import perform
from readerstudy.layout.sentences import say
from readerstudy.serialise import from_dict, to_dict
from readerstudy.sources.source import ImportProblem
from tests import make

NESTED = Sentence("the real file %(reason)s", reason=Sentence("%(name)s is not there.", name="5 % grey.png"))
ENGLISH, GERMAN = "the real file 5 % grey.png is not there.", "die echte Datei 5 % grey.png fehlt."


def test_a_sentence_is_its_english_text_and_said_in_other_languages():
    assert NESTED == ENGLISH
    with override("de"):
        assert (say(NESTED), say(BadInput(NESTED)), str(NESTED)) == (GERMAN, GERMAN, ENGLISH)
        assert say("plain text") == "plain text"
        assert say(joined(["x", "y", "z"])) == "x und y und z"
    assert say(NESTED) == ENGLISH


@pytest.mark.parametrize("passed", [lambda it: pickle.loads(pickle.dumps(it)), copy.deepcopy])
def test_a_sentence_keeps_its_values_between_processes(passed):
    error = passed(StudyError(NESTED))
    with override("de"):
        assert say(error) == GERMAN


def test_a_stored_problem_is_read_as_it_was_written():
    problem = from_dict(ImportProblem, to_dict(ImportProblem(Sentence("row %(number)s", number=7), NESTED)))
    with override("de"):
        assert (say(problem.name), say(problem.sentence)) == ("Zeile 7", GERMAN)
    assert problem.text == f"row 7: {ENGLISH}"


def test_the_message_of_several_arguments_is_that_of_the_error():
    assert message_of(OSError(2, "No such file")) == "[Errno 2] No such file"


@pytest.mark.django_db
def test_the_note_of_a_failed_job_is_in_the_language_of_the_page():
    def fail(parameters, report):
        raise StudyError(NESTED)

    job = Job.objects.create(kind="check-images", queued_at=make.MONDAY)
    perform(job.pk, fail)
    job.refresh_from_db()
    assert job.note == job_note(job) == ENGLISH
    with override("de"):
        assert job_note(job) == GERMAN
