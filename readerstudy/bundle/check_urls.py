"""URLs of the check of bundles, below /bundles/."""

from django.urls import path

from readerstudy.bundle import check_views

app_name = "bundles"
urlpatterns = [
    path("", check_views.send, name="send"),
    path("<int:number>/", check_views.check, name="check"),
    path("<int:number>/comparison/", check_views.comparison, name="comparison"),
]
