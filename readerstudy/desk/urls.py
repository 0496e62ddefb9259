"""The desk's addresses, below /desk/."""

from django.urls import include, path

from readerstudy.desk import corner_views, record_views, team_views, unblinding_views, views, webhook_views
from readerstudy.desk.people import colleague_views, directory
from readerstudy.desk.people.urls import urlpatterns as people_urls
from readerstudy.desk.trail.urls import urlpatterns as trail_urls

app_name = "desk"
urlpatterns = [
    path("", views.board, name="board"),
    path("", include(trail_urls)),
    path("people/", directory.directory, name="directory"),
    path("people/invite/", colleague_views.invite, name="colleague-invite"),
    path("people/<int:number>/", colleague_views.account, name="account"),
    path("people/<int:number>/<slug:name>/", colleague_views.act, name="account-act"),
    path("webhooks/", webhook_views.webhooks, name="webhooks"),
    path("webhooks/<int:number>/<slug:name>/", webhook_views.act, name="webhook-act"),
    path("webhooks/<int:number>/deliveries/<uuid:delivery>/again/", webhook_views.again, name="webhook-again"),
    path("studies/<slug:code>/", views.study, name="study"),
    path("studies/<slug:code>/monitor/", views.monitor, name="monitor"),
    path("studies/<slug:code>/resume/<int:number>/", views.resume, name="resume"),
    path("studies/<slug:code>/images/", views.reported_images, name="reported-images"),
    path("studies/<slug:code>/images/<int:number>/", views.decide, name="decide"),
    path("studies/<slug:code>/unblindings/", unblinding_views.unblindings, name="unblindings"),
    path("studies/<slug:code>/unblindings/<int:number>/", unblinding_views.unblinding, name="unblinding"),
    path("studies/<slug:code>/record/", record_views.record, name="record"),
    path("studies/<slug:code>/record/<slug:name>/", record_views.record_file, name="record-file"),
    path("studies/<slug:code>/corners/", corner_views.corners, name="corners"),
    path("studies/<slug:code>/corners/<int:number>.jpg", corner_views.sheet, name="corner-sheet"),
    path("studies/<slug:code>/corners/looked/", corner_views.looked, name="corners-looked"),
    path("studies/<slug:code>/team/", team_views.team, name="team"),
    path("studies/<slug:code>/team/add/", team_views.add, name="team-add"),
    path("studies/<slug:code>/team/<int:number>/remove/", team_views.remove, name="team-remove"),
    path("studies/<slug:code>/", include(people_urls)),
]
