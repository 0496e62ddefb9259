"""Django's PostgreSQL backend on the embedded server, which is started again when it has died."""

from typing import Any

import psycopg2
from django.db.backends.postgresql import base

from readerstudy.local_database import server


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection to the embedded server."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Connect; if that is refused because the server has died, start it and connect once more."""
        try:
            return super().get_new_connection(conn_params)
        except psycopg2.OperationalError:
            if not server.start_again(str(conn_params.get("host", ""))):
                raise
        return super().get_new_connection(conn_params)
