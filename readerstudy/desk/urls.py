"""The desk's addresses, below /desk/."""

from django.urls import path

from readerstudy.desk import people_views

app_name = "desk"
urlpatterns = [
    path("studies/<slug:code>/people/", people_views.people, name="people"),
    path("studies/<slug:code>/people/check/", people_views.check, name="people-check"),
    path("studies/<slug:code>/people/invite/", people_views.invite, name="people-invite"),
    path("studies/<slug:code>/people/<int:number>/<slug:name>/", people_views.act, name="people-act"),
    path("studies/<slug:code>/mails/", people_views.mails, name="mails"),
]
