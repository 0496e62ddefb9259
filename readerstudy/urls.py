"""URL configuration."""

from django.contrib import admin
from django.urls import include, path
from django.views.i18n import set_language

from readerstudy.bundle.views import codebook
from readerstudy.front.home import home
from readerstudy.front.own_result import own_result
from readerstudy.operation.page import operation

handler500 = "readerstudy.outage.server_error"

urlpatterns = [
    path("", home, name="home"),
    path("account/language/", set_language, name="set_language"),
    path("", include("readerstudy.privacy.urls")),
    path("account/", include("readerstudy.accounts.urls")),
    path("account/", include("readerstudy.identity.urls")),
    path("account/", include("readerstudy.invitations.urls")),
    path("read/<slug:code>/result/", own_result, name="own_result"),
    path("read/", include("readerstudy.participation.urls")),
    path("read/", include("readerstudy.reading.urls")),
    path("report/<slug:code>/codebook/", codebook, name="codebook"),
    path("report/<slug:code>/bundle/", include("readerstudy.bundle.urls")),
    path("report/", include("readerstudy.analysis.urls")),
    path("bundles/", include("readerstudy.bundle.check_urls")),
    path("desk/operation/", operation, name="operation"),
    path("desk/", include("readerstudy.designer.pages.urls")),
    path("desk/", include("readerstudy.desk.urls")),
    path("images/", include("readerstudy.image_import.urls")),
    path("lab/", include("readerstudy.lab.urls")),
    path("api/v1/", include("readerstudy.api.urls")),
    path("admin/", admin.site.urls),
]
