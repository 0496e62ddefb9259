"""Exit with 0 if the web process of this container can serve: it answers /health/ready with 200."""

import os
import sys
from http.client import HTTPConnection, HTTPException

address = os.environ.get("WEB_BIND", "0.0.0.0:8000").replace("0.0.0.0", "127.0.0.1")
connection = HTTPConnection(address, timeout=10)
try:
    connection.request("GET", "/health/ready")
    response = connection.getresponse()
    text = response.read().decode("utf-8", "replace")
except (OSError, HTTPException) as error:
    sys.exit(f"{address} does not answer: {error}")
if response.status != 200:
    sys.exit(f"{address} answers with status {response.status}: {text}")
