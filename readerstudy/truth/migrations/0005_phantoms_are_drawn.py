"""Says of the cohorts of phantoms that there are that a computer drew them. Written by hand."""

from django.db import migrations

MARK = """
UPDATE cohort_cohort cohort SET is_drawn = true
WHERE (
    SELECT bool_and(truth.source = 'phantom') FROM truth_imagetruth truth
    JOIN cohort_image image ON image.id = truth.image_id
    JOIN cohort_exam exam ON exam.id = image.exam_id
    JOIN cohort_patient patient ON patient.id = exam.patient_id
    WHERE patient.cohort_id = cohort.id
)
"""


class Migration(migrations.Migration):
    dependencies = [("cohort", "0002_drawn_cohorts"), ("truth", "0004_direction_labels")]
    operations = [migrations.RunSQL(MARK, migrations.RunSQL.noop)]
