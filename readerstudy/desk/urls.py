"""The desk's addresses, below /desk/."""

from django.urls import path

from readerstudy.desk import people_views, team_views, views

app_name = "desk"
urlpatterns = [
    path("", views.board, name="board"),
    path("studies/<slug:code>/", views.study, name="study"),
    path("studies/<slug:code>/monitor/", views.monitor, name="monitor"),
    path("studies/<slug:code>/resume/<int:number>/", views.resume, name="resume"),
    path("studies/<slug:code>/images/", views.reported_images, name="reported-images"),
    path("studies/<slug:code>/images/<int:number>/", views.decide, name="decide"),
    path("studies/<slug:code>/people/", people_views.people, name="people"),
    path("studies/<slug:code>/people/check/", people_views.check, name="people-check"),
    path("studies/<slug:code>/people/invite/", people_views.invite, name="people-invite"),
    path("studies/<slug:code>/people/<int:number>/<slug:name>/", people_views.act, name="people-act"),
    path("studies/<slug:code>/team/", team_views.team, name="team"),
    path("studies/<slug:code>/team/add/", team_views.add, name="team-add"),
    path("studies/<slug:code>/team/<int:number>/remove/", team_views.remove, name="team-remove"),
    path("studies/<slug:code>/mails/", people_views.mails, name="mails"),
]
