"""Addresses below /api/v1/."""

from django.urls import include, path, register_converter
from drf_spectacular.views import SpectacularAPIView

from readerstudy.api import investigator, reader
from readerstudy.education.views import PanelPicture


class PanelName:
    regex = "real|adversarial|difference"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(PanelName, "panel")

wire = [
    path("", reader.Sessions.as_view(), name="sessions"),
    path("<slug:study>/sessions/<int:number>/open/", reader.Open.as_view(), name="open"),
    path("<slug:study>/sessions/<int:number>/step/", reader.CurrentStep.as_view(), name="step"),
    path("<slug:study>/sessions/<int:number>/display/", reader.Display.as_view(), name="display"),
    path("<slug:study>/sessions/<int:number>/verdicts/", reader.Verdicts.as_view(), name="verdicts"),
    path("<slug:study>/images/<slug:code>/", reader.Picture.as_view(), name="picture"),
    path("<slug:study>/triptychs/<slug:code>/<panel:panel>/", PanelPicture.as_view(), name="panel"),
]

studies = [
    path("", investigator.Studies.as_view(), name="list"),
    path("<slug:study>/", investigator.StudyDetail.as_view(), name="detail"),
    path("<slug:study>/sessions/", investigator.Sessions.as_view(), name="sessions"),
    path("<slug:study>/readers/", investigator.Readers.as_view(), name="readers"),
    path("<slug:study>/close/", investigator.Close.as_view(), name="close"),
    path("<slug:study>/unseal/", investigator.Unseal.as_view(), name="unseal"),
    path("<slug:study>/readings/", investigator.Readings.as_view(), name="readings"),
    path("<slug:study>/readings.csv", investigator.ReadingsFile.as_view(), name="readings_file"),
    path("<slug:study>/results/", investigator.Results.as_view(), name="results"),
]

urlpatterns = [
    path("reading/", include((wire, "wire"))),
    path("studies/", include((studies, "studies"))),
    path("jobs/", investigator.Jobs.as_view(), name="jobs"),
    path("jobs/<int:pk>/", investigator.JobDetail.as_view(), name="job"),
    path("token/", investigator.Token.as_view(), name="token"),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
]
