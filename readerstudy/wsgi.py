"""The WSGI application that gunicorn serves."""

import os
from pathlib import Path

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from readerstudy import database_roles, metrics_folder

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "readerstudy.settings")
database_roles.process = database_roles.WEB
metrics_folder.prepare(Path(settings.VAR_DIR))  # before anything loads prometheus-client
application = get_wsgi_application()
