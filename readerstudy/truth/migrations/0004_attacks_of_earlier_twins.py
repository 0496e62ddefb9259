"""Twins made before attacks were rows get the row of their generator, so that they can be evaluated by name."""

from django.db import migrations


def name_earlier_attacks(apps, schema_editor):
    truth, attack = apps.get_model("truth", "Truth"), apps.get_model("jobs", "Attack")
    checkpoint = apps.get_model("jobs", "Checkpoint")
    unnamed = truth.objects.filter(authenticity="adversarial", attack=None)
    for name in set(unnamed.values_list("generator", flat=True)):
        run = checkpoint.objects.filter(name=name, kind="generator").first()
        if run is None:
            continue
        row, _made = attack.objects.get_or_create(
            name=name,
            defaults={
                "method": "gan",
                "direction": run.direction,
                "generator": run,
                "classifier": run.made_from,
                "settings": {},  # how they were finished was not written down then
                "seed": run.seed,
                "code_version": run.code_version,
                "cohort": run.cohort,
                "made_at": run.made_at,
            },
        )
        unnamed.filter(generator=name).update(attack=row)


class Migration(migrations.Migration):
    dependencies = [
        ("truth", "0003_attack_quality_exclusion"),
        ("jobs", "0002_queue_attacks_evaluations"),
    ]

    operations = [migrations.RunPython(name_earlier_attacks, migrations.RunPython.noop)]
