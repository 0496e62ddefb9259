"""Addresses below /api/v1/."""

from django.urls import include, path, register_converter

from readerstudy.api import investigator, tokens, webhooks
from readerstudy.api.education import LessonOfTriptych, LineOfTriptych, PanelFile
from readerstudy.api.lab import artifacts, images, jobs
from readerstudy.api.outcome import bundles, codebook, ratings, readings, results
from readerstudy.api.reader import views as reader
from readerstudy.api.reader.steps import PANELS
from readerstudy.api.reference import ReferencePage, Schema
from readerstudy.api.running import drafts, events, figures, readers
from readerstudy.studies.transitions import MOVES_BY_NAME


class PanelName:
    """The name of a triptych's panel in an address."""

    regex = "|".join(PANELS)

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class MoveName(PanelName):
    """The name of a move of a study in an address."""

    regex = "|".join(MOVES_BY_NAME)


register_converter(PanelName, "panel")
register_converter(MoveName, "move")

reader_urls = [
    path("", reader.SessionList.as_view(), name="sessions"),
    path("keys/<slug:form>/", reader.KeepKeys.as_view(), name="keys"),
    path("<slug:study>/sessions/<int:number>/open/", reader.OpenSession.as_view(), name="open"),
    path("<slug:study>/sessions/<int:number>/step/", reader.CurrentStep.as_view(), name="step"),
    path("<slug:study>/sessions/<int:number>/display/", reader.CheckDisplay.as_view(), name="display"),
    path("<slug:study>/sessions/<int:number>/verdicts/", reader.GiveVerdict.as_view(), name="verdicts"),
    path("<slug:study>/sessions/<int:number>/answers/", reader.GiveAnswers.as_view(), name="answers"),
    path("<slug:study>/sessions/<int:number>/problems/", reader.ReportProblem.as_view(), name="problems"),
    path("<slug:study>/images/<slug:code>/", reader.ImageFile.as_view(), name="image"),
    path("<slug:study>/triptychs/<slug:code>/lesson/", LessonOfTriptych.as_view(), name="lesson"),
    path("<slug:study>/triptychs/<slug:code>/line/", LineOfTriptych.as_view(), name="line"),
    path("<slug:study>/triptychs/<slug:code>/<panel:panel>/", PanelFile.as_view(), name="panel"),
]

studies = [
    path("", drafts.StudiesOrNew.as_view(), name="list"),
    path("<slug:study>/", investigator.StudyDetail.as_view(), name="detail"),
    path("<slug:study>/sessions/", investigator.Sessions.as_view(), name="sessions"),
    path("<slug:study>/readers/", investigator.Readers.as_view(), name="readers"),
    path("<slug:study>/readers/<slug:reader>/", investigator.ReaderDetail.as_view(), name="reader"),
    path("<slug:study>/readers/<slug:reader>/link/", readers.ReaderLink.as_view(), name="reader-link"),
    path("<slug:study>/readers/<slug:reader>/replacement/", readers.Replacement.as_view(), name="reader-replacement"),
    path("<slug:study>/readers/<slug:reader>/<slug:name>/", readers.ReaderAct.as_view(), name="reader-act"),
    path("<slug:study>/invitations/", readers.Invitations.as_view(), name="invitations"),
    path("<slug:study>/mails/", readers.Mails.as_view(), name="mails"),
    path("<slug:study>/plans/", investigator.Plans.as_view(), name="plans"),
    path("<slug:study>/events/", events.StudyEvents.as_view(), name="events"),
    path("<slug:study>/monitor/", figures.Monitor.as_view(), name="monitor"),
    path("<slug:study>/reports/", figures.Reports.as_view(), name="reports"),
    path("<slug:study>/reports/<int:number>/<slug:name>/", figures.Decide.as_view(), name="decide"),
    path("<slug:study>/protocol/", drafts.ProtocolOfStudy.as_view(), name="protocol"),
    path("<slug:study>/protocol.yaml", drafts.ProtocolFile.as_view(), name="protocol-file"),
    path("<slug:study>/checklist/", drafts.Checklist.as_view(), name="checklist"),
    path("<slug:study>/rehearse/", drafts.Rehearse.as_view(), name="rehearse"),
    path("<slug:study>/moves/", drafts.Moves.as_view(), name="moves"),
    path("<slug:study>/<move:move>/", drafts.MakeMove.as_view(), name="move"),
    path("<slug:study>/readings/", readings.Readings.as_view(), name="readings"),
    path("<slug:study>/readings.csv", readings.ReadingsFile.as_view(), name="readings_file"),
    path("<slug:study>/readings.parquet", readings.ReadingsParquet.as_view(), name="readings_parquet"),
    path("<slug:study>/codebook/", codebook.Codebook.as_view(), name="codebook"),
    path("<slug:study>/codebook.csv", codebook.CodebookFile.as_view(), name="codebook_file"),
    path("<slug:study>/ratings.imrmc", ratings.ImrmcFile.as_view(), name="ratings_imrmc"),
    path("<slug:study>/ratings-mrmcaov.csv", ratings.MrmcaovFile.as_view(), name="ratings_mrmcaov"),
    path("<slug:study>/ratings-rjafroc.xlsx", ratings.RjafrocFile.as_view(), name="ratings_rjafroc"),
    path("<slug:study>/answers/", readings.Answers.as_view(), name="answers"),
    path("<slug:study>/bundle/", bundles.Bundle.as_view(), name="bundle"),
    path("<slug:study>/bundle.zip", bundles.BundleFile.as_view(), name="bundle_file"),
    path("<slug:study>/results/", results.Results.as_view(), name="results"),
]

urlpatterns = [
    path("reading/", include((reader_urls, "reader_api"))),
    path("studies/", include((studies, "studies"))),
    path("cohorts/", figures.Cohorts.as_view(), name="cohorts"),
    path("cohorts/<slug:name>/", figures.CohortDetail.as_view(), name="cohort"),
    path("jobs/", jobs.Jobs.as_view(), name="jobs"),
    path("jobs/<int:pk>/", jobs.JobDetail.as_view(), name="job"),
    path("jobs/<int:pk>/points/", jobs.JobPoints.as_view(), name="job-points"),
    path("jobs/<int:pk>/cancel/", jobs.Cancel.as_view(), name="cancel-job"),
    path("jobs/<int:pk>/retry/", jobs.Retry.as_view(), name="retry-job"),
    path("runs/", artifacts.Runs.as_view(), name="runs"),
    path("runs/<slug:name>/", artifacts.RunDetail.as_view(), name="run"),
    path("attacks/<slug:name>/", artifacts.AttackDetail.as_view(), name="attack"),
    path("events/", events.Events.as_view(), name="events"),
    path("images/", images.Images.as_view(), name="images"),
    path("images/<int:number>/", images.ImageDetail.as_view(), name="image"),
    path("images/<int:number>/<panel:panel>/", images.ImagePanel.as_view(), name="image-panel"),
    path("attacks/", artifacts.Attacks.as_view(), name="attacks"),
    path("evaluations/", artifacts.Evaluations.as_view(), name="evaluations"),
    path("evaluations/<int:pk>/", artifacts.EvaluationDetail.as_view(), name="evaluation"),
    path("webhooks/", webhooks.Webhooks.as_view(), name="webhooks"),
    path("webhooks/<int:number>/", webhooks.OneWebhook.as_view(), name="webhook"),
    path("webhooks/<int:number>/test/", webhooks.SendTest.as_view(), name="webhook-test"),
    path("webhooks/<int:number>/deliveries/", webhooks.Deliveries.as_view(), name="webhook-deliveries"),
    path("webhooks/<int:number>/deliveries/<uuid:delivery>/again/", webhooks.SendAgain.as_view(), name="webhook-again"),
    path("token/", tokens.Token.as_view(), name="token"),
    path("schema/", Schema.as_view(), name="schema"),
    path("reference/", ReferencePage.as_view(), name="reference"),
]
