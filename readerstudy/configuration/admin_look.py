"""Settings of django-unfold: names, links and colours of the administration."""

from typing import Final

from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _

UNFOLD: Final = {
    "SITE_TITLE": _("Reader study"),
    "SITE_HEADER": _("Reader study"),
    "SITE_SUBHEADER": _("Administration"),
    "SITE_URL": "/",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("favicon.svg")}],
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "SIDEBAR": {"navigation": "readerstudy.admin_site.navigation", "show_all_applications": True},
    # Shades of the site's accent, static/css/tokens.css.
    "COLORS": {
        "primary": {
            "50": "#f0f7fd",
            "100": "#deedfa",
            "200": "#bedcf5",
            "300": "#9bcaf2",
            "400": "#7ab8f0",
            "500": "#2f84cc",
            "600": "#0a5ea8",
            "700": "#094d89",
            "800": "#0a406f",
            "900": "#0b355b",
            "950": "#07213a",
        }
    },
}
