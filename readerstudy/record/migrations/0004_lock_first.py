"""A transaction waits for a log by locking its row, and inserts the row only if there is none.

The insert came first. It waits outside the queue of the lock, so that with each commit all waiting transactions woke.
"""

from importlib import import_module

from django.db import migrations

_FUNCTIONS = import_module("readerstudy.record.migrations.0002_functions")
_BEFORE = """
        INSERT INTO record_log (code, size, peaks) VALUES (name, 0, '') ON CONFLICT DO NOTHING;
        SELECT * INTO head FROM record_log WHERE code = name FOR UPDATE;
"""
_AFTER = """
        SELECT * INTO head FROM record_log WHERE code = name FOR UPDATE;
        IF NOT FOUND THEN
            INSERT INTO record_log (code, size, peaks) VALUES (name, 0, '') ON CONFLICT DO NOTHING;
            SELECT * INTO head FROM record_log WHERE code = name FOR UPDATE;
        END IF;
"""
FUNCTION = _FUNCTIONS.APPEND.partition("CREATE CONSTRAINT TRIGGER")[0].replace("CREATE", "CREATE OR REPLACE")
assert _BEFORE in FUNCTION


class Migration(migrations.Migration):
    dependencies = [("record", "0003_redaction")]
    operations = [migrations.RunSQL(FUNCTION.replace(_BEFORE, _AFTER), FUNCTION)]
