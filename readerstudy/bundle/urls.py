"""URLs of the bundle of a study, below /report/CODE/bundle/."""

from django.urls import path

from readerstudy.bundle import views

app_name = "bundle"
urlpatterns = [
    path("", views.page, name="page"),
    path("make/", views.make, name="make"),
    path("file/", views.file, name="file"),
]
