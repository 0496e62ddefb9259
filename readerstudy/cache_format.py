"""How values are written to the cache in Redis: as JSON, so that who can write there can run no code here."""

import json
from typing import Any


class JSONFormat:
    """A serializer of Django's Redis cache, whose own one is pickle. Redis counts with whole numbers itself."""

    def dumps(self, value: Any) -> int | str:
        """Return what is stored. Raises TypeError for what JSON cannot hold."""
        return value if type(value) is int else json.dumps(value)

    def loads(self, data: bytes | str) -> Any:
        """Return the value that was stored."""
        return json.loads(data)
