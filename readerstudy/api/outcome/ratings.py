"""The verdicts of an unsealed study as files of iMRMC, MRMCaov and RJafroc. For researchers of the study."""

import io
from collections.abc import Callable
from typing import ClassVar

from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema

from readerstudy.accounts.permissions import IsResearcher
from readerstudy.analysis.queries.ratings import study_ratings
from readerstudy.api.investigator import MISUNDERSTOOD, REFUSED, StudyView
from readerstudy.api.outcome.readings import record_export
from readerstudy.api.requests import UserRequest, validated
from readerstudy.api.serializers import RatingsQuery
from readerstudy.errors import StudyError
from readerstudy.statistics.rating_files import (
    NotCrossed,
    Ratings,
    UnsafeLabel,
    write_imrmc,
    write_mrmcaov,
    write_rjafroc,
)
from readerstudy.studies.models import Study

PLAIN = "text/plain"
CSV = "text/csv"
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class _RatingsFile(StudyView):
    """Base: one format."""

    permission_classes = [IsResearcher]
    parameters = ("session",)
    format: ClassVar[str]
    media_type: ClassVar[str]
    file_name: ClassVar[str]

    def file(self, request: UserRequest, write: Callable[[Study, Ratings], bytes]) -> HttpResponse:
        """Return the file. Raises what `study_ratings` raises, and StudyError if the format cannot hold the ratings."""
        selected = self.own_study()
        session = validated(RatingsQuery(data=request.query_params)).get("session")
        try:
            ratings = study_ratings(selected, request.user, session=session)
        except UnsafeLabel as error:
            message = _("These files cannot hold the label “%(label)s”: it has a blank, a comma or a quotation mark.")
            raise StudyError(message % {"label": error.label}) from error
        content = write(selected, ratings)
        record_export(selected, request.user, part="ratings", format=self.format)
        name = f"{selected.code}{f'-{session}' if session else ''}-{self.file_name}"
        disposition = f'attachment; filename="{name}"'
        return HttpResponse(content, content_type=self.media_type, headers={"Content-Disposition": disposition})


def _imrmc(study: Study, ratings: Ratings) -> bytes:
    return write_imrmc(ratings, title=f"Study {study.code}").encode()


def _mrmcaov(study: Study, ratings: Ratings) -> bytes:
    return write_mrmcaov(ratings).encode()


def _rjafroc(study: Study, ratings: Ratings) -> bytes:
    file = io.BytesIO()
    try:
        write_rjafroc(ratings, file)
    except NotCrossed as error:
        message = _(
            "RJafroc needs a verdict of every reader on every image in every session, and %(reader)s has none on "
            "%(case)s in session %(session)s. Choose one session, or use the file for iMRMC or MRMCaov."
        )
        values = {"reader": error.reader, "case": error.case, "session": error.condition}
        raise StudyError(message % values) from error
    return file.getvalue()


class ImrmcFile(_RatingsFile):
    """The verdicts as an input file of iMRMC; `session` selects one session."""

    format, media_type, file_name = "imrmc", PLAIN, "ratings.imrmc"

    @extend_schema(
        parameters=[RatingsQuery],
        responses={(200, PLAIN): str, 400: MISUNDERSTOOD, 409: REFUSED},
        tags=["studies"],
        operation_id="studies_ratings_imrmc",
    )
    def get(self, request: UserRequest, study: str) -> HttpResponse:
        return self.file(request, _imrmc)


class MrmcaovFile(_RatingsFile):
    """The verdicts as a data frame for MRMCaov, in CSV; `session` selects one session."""

    format, media_type, file_name = "mrmcaov", CSV, "ratings-mrmcaov.csv"

    @extend_schema(
        parameters=[RatingsQuery],
        responses={(200, CSV): str, 400: MISUNDERSTOOD, 409: REFUSED},
        tags=["studies"],
        operation_id="studies_ratings_mrmcaov",
    )
    def get(self, request: UserRequest, study: str) -> HttpResponse:
        return self.file(request, _mrmcaov)


class RjafrocFile(_RatingsFile):
    """The verdicts as an Excel file for RJafroc; `session` selects one session."""

    format, media_type, file_name = "rjafroc", EXCEL, "ratings-rjafroc.xlsx"

    @extend_schema(
        parameters=[RatingsQuery],
        responses={(200, EXCEL): bytes, 400: MISUNDERSTOOD, 409: REFUSED},
        tags=["studies"],
        operation_id="studies_ratings_rjafroc",
    )
    def get(self, request: UserRequest, study: str) -> HttpResponse:
        return self.file(request, _rjafroc)
