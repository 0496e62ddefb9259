"""Statements of the reader's path: their SQL is made once in each process, and planned once in each connection.

Django makes the SQL of a queryset anew for each use, and PostgreSQL plans it anew. For a verdict both took longer than
everything else. A `PreparedQuery` is an ordinary queryset with `Given` values in it; a `PreparedStatement` is SQL with
names in it. Both are run by PREPARE and EXECUTE, so that each value is checked by the server against its column.
"""

from collections.abc import Callable, Iterable
from hashlib import sha256
from threading import Lock
from typing import Any, Final, Generic, TypeVar, cast
from weakref import WeakKeyDictionary

from django.db import connection
from django.db.models import Expression, Model, QuerySet
from django.db.models.query import get_related_populators

Row = TypeVar("Row", bound=Model)
# The names that each connection of the driver has prepared. They end with it.
_known: Final[WeakKeyDictionary[Any, set[str]]] = WeakKeyDictionary()


class Given(Expression):
    """A value of a prepared query that is given at each use."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        return "%s", (self,)


class PreparedStatement:
    """SQL whose values are written as {name}."""

    def __init__(self, sql: str, *names: str) -> None:
        numbers = {name: f"${number}" for number, name in enumerate(names, start=1)}
        self.names = names
        self._sql = sql.format(**numbers)
        self._name = f"readerstudy_{sha256(self._sql.encode()).hexdigest()[:16]}"
        self._execute = f"EXECUTE {self._name} ({', '.join(['%s'] * len(names))})"

    def rows(self, **values: Any) -> list[tuple[Any, ...]]:
        """Return the rows that the statement returns."""
        with connection.cursor() as cursor:
            known = _known.setdefault(connection.connection, set())
            if self._name not in known:
                cursor.execute(f"PREPARE {self._name} AS {self._sql}")
                known.add(self._name)
            cursor.execute(self._execute, [values[name] for name in self.names])
            return cast(list[tuple[Any, ...]], cursor.fetchall())


class PreparedQuery(Generic[Row]):
    """A queryset with `Given` values. Its rows are models, with those that it selects beside them.

    `make` returns the queryset; it is called at the first use, when the application is loaded.
    """

    def __init__(self, make: Callable[[], QuerySet[Row]]) -> None:
        self._make = make
        self._lock = Lock()
        self._statement: PreparedStatement | None = None

    def first(self, **values: Any) -> Row | None:
        """Return the first row, None if there is none."""
        return next(iter(self.rows(**values)), None)

    def rows(self, **values: Any) -> list[Row]:
        """Return the rows. Those of a query that locks are locked until the end of the transaction."""
        if self._statement is None:
            with self._lock:
                self._compile()
        assert self._statement is not None
        assert connection.in_atomic_block or not self._locks, "locks end with their transaction"
        return [self._row(list(row)) for row in self._statement.rows(**values)]

    def _compile(self) -> None:
        query = self._make().query
        compiler = query.get_compiler(connection=connection)
        sql, parameters = compiler.as_sql()
        statement = _numbered(sql, parameters)
        select, self._locks = compiler.select or [], query.select_for_update
        known: dict[str, Any] = compiler.klass_info
        fields = known["select_fields"]
        self._model: type[Row] = known["model"]
        self._own = slice(fields[0], fields[-1] + 1)
        self._columns = [column.target.attname for column, _sql, _alias in select[self._own]]
        # The annotations are those of a later Django.
        self._related = get_related_populators(known, select, connection.alias)  # type: ignore[call-arg]
        self._annotations = dict(compiler.annotation_col_map or {})
        converters = compiler.get_converters([column for column, _sql, _alias in select])
        self._converters = [(index, *pair) for index, pair in converters.items()]
        self._statement = statement

    def _row(self, values: list[Any]) -> Row:
        for index, functions, expression in self._converters:
            for convert in functions:
                values[index] = convert(values[index], expression, connection)
        row: Row = self._model.from_db(connection.alias, self._columns, values[self._own])
        for related in self._related:
            related.populate(values, row)
        for name, index in self._annotations.items():
            setattr(row, name, values[index])
        return row


def _numbered(sql: str, parameters: Iterable[Any]) -> PreparedStatement:
    """Return the statement with its given values by name, and all others written into it."""
    names: dict[str, None] = {}
    written = []
    with connection.cursor() as cursor:
        for parameter in parameters:
            if isinstance(parameter, Given):
                names[parameter.name] = None
                written.append(f"{{{parameter.name}}}")
            else:
                literal = cursor.mogrify("%s", [parameter])
                text = literal.decode() if isinstance(literal, bytes) else literal
                written.append(text.replace("{", "{{").replace("}", "}}"))
    return PreparedStatement(sql.replace("{", "{{").replace("}", "}}") % tuple(written), *names)
