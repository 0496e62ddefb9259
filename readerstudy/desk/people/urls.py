"""The addresses of the people of a study, below /desk/studies/CODE/."""

from django.urls import path

from readerstudy.desk.people import participation_views, reader_views, views

urlpatterns = [
    path("people/", views.people, name="people"),
    path("people/check/", views.check, name="people-check"),
    path("people/invite/", views.invite, name="people-invite"),
    path("people/<int:number>/<slug:name>/", views.act, name="people-act"),
    path("mails/", views.mails, name="mails"),
    path("consent/", participation_views.consent, name="consent"),
    path("messages/", participation_views.message_page, name="messages"),
    path("readers/<int:number>/", reader_views.reader, name="reader"),
    path("readers/<int:number>/replace/", reader_views.replace, name="reader-replace"),
    path("readers/<int:number>/<slug:name>/", reader_views.act, name="reader-act"),
]
