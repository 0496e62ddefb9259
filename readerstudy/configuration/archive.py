"""Settings of an archive (DICOMweb) from which images are fetched; `settings` takes over every name in capitals."""

from django.core.exceptions import ImproperlyConfigured

from readerstudy.configuration.environment import env_file, env_flag, env_number, env_secret_file

DICOMWEB_TOKEN = env_secret_file("DICOMWEB_TOKEN_FILE", least=1)
_login = env_secret_file("DICOMWEB_LOGIN_FILE", least=1)
DICOMWEB_USER, _colon, DICOMWEB_PASSWORD = _login.partition(":")
if _login and not (DICOMWEB_USER and DICOMWEB_PASSWORD):
    raise ImproperlyConfigured("The file of DICOMWEB_LOGIN_FILE must hold name:password.")
DICOMWEB_CA = env_file("DICOMWEB_CA")
DICOMWEB_TLS = env_flag("DICOMWEB_TLS", default=True)
DICOMWEB_CONNECTIONS = env_number("DICOMWEB_CONNECTIONS", default=4)
