"""URLs of the report, below /report/."""

from django.urls import path

from readerstudy.analysis import views

app_name = "report"
urlpatterns = [
    path("", views.studies, name="list"),
    path("<slug:code>/", views.study_report, name="study"),
    path("<slug:code>/unseal/", views.unseal, name="unseal"),
    path("<slug:code>/<slug:key>.svg", views.picture_svg, name="picture"),
    path("<slug:code>/readings/", views.readings, name="readings"),
    path("<slug:code>/report.html", views.page_html, name="page"),
    path("<slug:code>/report.pdf", views.page_pdf, name="pdf"),
    path("<slug:code>/<slug:key>.json", views.table_json, name="table-json"),
    path("<slug:code>/<slug:key>.csv", views.table_csv, name="table"),
]
