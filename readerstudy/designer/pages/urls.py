"""The designer's addresses, below /desk/."""

from django.urls import path

from readerstudy.designer.pages import job_views, move_views, sizing_views, views

app_name = "designer"
urlpatterns = [
    path("studies/new/", views.new, name="new"),
    path("studies/<slug:code>/design/", views.design, name="design"),
    path("studies/<slug:code>/design/check/", views.check, name="check"),
    path("studies/<slug:code>/design/preview/", views.preview, name="preview"),
    path("studies/<slug:code>/sizing/", sizing_views.sizing, name="sizing"),
    path("studies/<slug:code>/protocol.yaml", views.download, name="download"),
    path("studies/<slug:code>/protocol/", views.upload, name="upload"),
    path("studies/<slug:code>/moves/<slug:name>/", move_views.move, name="move"),
    path("studies/<slug:code>/rehearse/", job_views.rehearse, name="rehearse"),
    path("studies/<slug:code>/jobs/<int:number>/", job_views.job, name="job"),
]
