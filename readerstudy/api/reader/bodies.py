"""Requests of the reader's API. What is documented here is what may be sent."""

import re
from typing import Any, Final

from rest_framework import serializers

from readerstudy.api.requests import UUIDStringField
from readerstudy.protocol.sessions import Verdict
from readerstudy.reading.actions import SubmittedAnswers, SubmittedProblem, SubmittedVerdict
from readerstudy.reading.actions.problems import MAX_TEXT
from readerstudy.reading.actions.verdicts import MAX_PARADATA_BYTES, MAX_PARADATA_DEPTH, MAX_PARADATA_ENTRIES
from readerstudy.reading.display_check import GROUNDS, STANDS_FOR

MAX_SCREEN_SIDE = 100_000
MAX_KEYS: Final = 64
COMMAND: Final = re.compile(r"[A-Za-z]{1,32}", re.ASCII)


class SubmittedVerdictSerializer(serializers.Serializer[SubmittedVerdict]):
    """A verdict on the current image."""

    stimulus = serializers.RegexField(r"^[0-9a-f]{32}$", source="code", help_text="the code of the presentation")
    verdict = serializers.ChoiceField(choices=Verdict.choices)
    elapsed_ms = serializers.IntegerField(min_value=0, help_text="from image drawn to verdict, without pauses")
    key = UUIDStringField(help_text="made by the browser; a verdict that is sent again has the same key")
    paradata = serializers.DictField(
        required=False,
        default=dict,
        help_text=f"how the image was read; at most {MAX_PARADATA_ENTRIES} entries, {MAX_PARADATA_BYTES} bytes of JSON "
        f"and {MAX_PARADATA_DEPTH} levels",
    )
    answers = serializers.DictField(required=False, default=dict, help_text="to the step's questions, by name")
    page = UUIDStringField(required=False, help_text="the browser page that sends it, as given when opening")

    def validate_verdict(self, value: str) -> Verdict:
        """Return the verdict as a member of `Verdict`."""
        return Verdict(value)


class SubmittedAnswersSerializer(serializers.Serializer[SubmittedAnswers]):
    """The answers to the questions at the end of a session."""

    answers = serializers.DictField(help_text="to the step's questions, by name")
    elapsed_ms = serializers.IntegerField(min_value=0, help_text="from the questions shown to the answers sent")
    key = UUIDStringField(help_text="made by the browser; answers that are sent again have the same key")
    page = UUIDStringField(required=False, help_text="the browser page that sends it, as given when opening")


class SubmittedProblemSerializer(serializers.Serializer[SubmittedProblem]):
    """A problem with the current image."""

    stimulus = serializers.RegexField(r"^[0-9a-f]{32}$", source="code", help_text="the code of the presentation")
    text = serializers.CharField(required=False, default="", allow_blank=True, max_length=MAX_TEXT)
    key = UUIDStringField(help_text="made by the browser; a report that is sent again has the same key")
    page = UUIDStringField(required=False, help_text="the browser page that sends it, as given when opening")


class PageSerializer(serializers.Serializer[Any]):
    """The browser page that sends the request."""

    page = UUIDStringField(required=False, help_text="made by the page; the newest page holds the session")


class LettersSerializer(serializers.Serializer[Any]):
    """One strip of letters of the display check."""

    ground = serializers.ChoiceField(choices=list(GROUNDS))
    shown = serializers.RegexField(r"^[A-Z]{5}$")
    typed = serializers.CharField(max_length=20, allow_blank=True)


class SquaresSerializer(serializers.Serializer[Any]):
    """Whether the reader saw the square on black and the one on white."""

    dark = serializers.BooleanField()
    bright = serializers.BooleanField()


class ScreenSerializer(serializers.Serializer[Any]):
    """The display as the browser describes it. Lengths are in CSS pixels."""

    width = serializers.IntegerField(min_value=1, max_value=MAX_SCREEN_SIDE)
    height = serializers.IntegerField(min_value=1, max_value=MAX_SCREEN_SIDE)
    device_pixel_ratio = serializers.FloatField(min_value=0.1, max_value=20)
    color_depth = serializers.IntegerField(min_value=1, max_value=1024)
    viewport = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=MAX_SCREEN_SIDE), min_length=2, max_length=2
    )
    full_screen = serializers.BooleanField()


class DisplayResultsSerializer(serializers.Serializer[Any]):
    """What the reader saw, and on which display."""

    letters = LettersSerializer(many=True)
    squares = SquaresSerializer()
    card_px_per_mm = serializers.FloatField(min_value=0.5, max_value=100, allow_null=True, required=False)
    light = serializers.ChoiceField(choices=["dark", "dim", "bright"])
    screen = ScreenSerializer()
    minutes_ago = serializers.IntegerField(
        min_value=0,
        max_value=round(STANDS_FOR.total_seconds()) // 60,
        required=False,
        help_text="age of a check that the reader passed on this screen in an earlier session",
    )

    def validate_letters(self, rows: list[dict[str, str]]) -> list[dict[str, str]]:
        """Return the strips. Raises ValidationError unless there is exactly one for each ground."""
        if sorted(row["ground"] for row in rows) != sorted(GROUNDS):
            raise serializers.ValidationError(f"One strip for each ground is needed: {', '.join(GROUNDS)}.")
        return rows


class DisplayCheckSerializer(serializers.Serializer[Any]):
    """The results of a display check."""

    results = DisplayResultsSerializer()


class OwnKeysSerializer(serializers.Serializer[Any]):
    """The reader's own keys of one form of images: for each command that the reader changed, a list with its key."""

    keys = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField(max_length=32), min_length=1, max_length=1),
        help_text=f"by command; at most {MAX_KEYS}; without any, the standard keys apply",
    )

    def validate_keys(self, keys: dict[str, list[str]]) -> dict[str, list[str]]:
        """Return the keys. Raises ValidationError for too many, or for what cannot be a command."""
        if len(keys) > MAX_KEYS or not all(COMMAND.fullmatch(command) for command in keys):
            raise serializers.ValidationError(f"At most {MAX_KEYS} commands are allowed, named by letters.")
        return keys


# Made once, as those of the steps.
PAGE: Final = PageSerializer()
SUBMITTED_VERDICT: Final = SubmittedVerdictSerializer()
