"""The WSGI application that gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

from readerstudy import database_roles

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "readerstudy.settings")
database_roles.process = database_roles.WEB
application = get_wsgi_application()
