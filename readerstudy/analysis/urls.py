"""URLs of the report, below /report/."""

from django.urls import path

from readerstudy.analysis import views

app_name = "report"
_files = [
    ("<slug:key>.svg", views.picture_svg, "picture"),
    ("report.html", views.page_html, "page"),
    ("report.pdf", views.page_pdf, "pdf"),
    ("<slug:key>.json", views.table_json, "table-json"),
    ("<slug:key>.csv", views.table_csv, "table"),
]
urlpatterns = [
    path("", views.studies, name="list"),
    path("<slug:code>/", views.study_report, name="study"),
    path("<slug:code>/unseal/", views.unseal, name="unseal"),
    path("<slug:code>/readings/", views.readings, name="readings"),
    path("<slug:code>/making/", views.making, name="making"),
    path("<slug:code>/pdf/", views.pdf_progress, name="rehearsal-pdf"),
    path("<slug:code>/versions/", views.versions, name="versions"),
    path("<slug:code>/versions/new/", views.store, name="store"),
    path("<slug:code>/versions/<int:number>/", views.versions, name="differences"),
    path("<slug:code>/v<int:number>/", views.study_report, name="version"),
    path("<slug:code>/v<int:number>/pdf/", views.pdf_progress, name="pdf-progress"),
    *(path(f"<slug:code>/{address}", view, name=name) for address, view, name in _files),
    *(path(f"<slug:code>/v<int:number>/{address}", view, name=f"version-{name}") for address, view, name in _files),
]
