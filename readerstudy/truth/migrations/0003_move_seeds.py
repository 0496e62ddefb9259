"""Copies the seeds of all draws out of tables that everybody's pages read. Written by hand."""

from django.db import migrations

# In a migration of its own: a table with rows that wait for the record cannot be altered.
COPY = """
INSERT INTO truth_drawseed (study_id, number, seed)
SELECT study_id, number, seed FROM (
    SELECT study_id, row_number() OVER (PARTITION BY study_id ORDER BY id) AS number, seed FROM studies_draw
    UNION ALL
    SELECT id, 1 + (SELECT count(*) FROM studies_draw earlier WHERE earlier.study_id = study.id), seed
    FROM studies_study study WHERE seed IS NOT NULL
) drawn
ORDER BY study_id, number
"""


class Migration(migrations.Migration):
    dependencies = [("record", "0002_functions"), ("studies", "0001_initial"), ("truth", "0002_drawseed")]
    # Backwards only while no study is drawn: the columns come back empty, which no drawn study may have.
    operations = [migrations.RunSQL(COPY, migrations.RunSQL.noop)]
