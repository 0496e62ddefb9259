"""The WSGI application that gunicorn serves."""

import os
import sys
from importlib import import_module
from typing import Final

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

from readerstudy.configuration import database_roles

# With this status of a worker gunicorn ends, instead of starting the next one.
_CANNOT_START: Final = 3

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "readerstudy.configuration.settings")
database_roles.process = database_roles.WEB
try:
    application = get_wsgi_application()

    from django.conf import settings

    from readerstudy.configuration.start_checks import require_migrated, require_static_files  # after the settings

    require_static_files()
    require_migrated()
    # The pages are imported now, and not while the first person waits.
    import_module(settings.ROOT_URLCONF)
except ImproperlyConfigured as error:
    print(f"readerstudy: {error}", file=sys.stderr, flush=True)
    sys.exit(_CANNOT_START)
