import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('cohort', '0002_chest_wall'),
        ('truth', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Score',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('classifier', models.CharField(max_length=64, verbose_name='classifier run')),
                ('probability', models.FloatField(verbose_name='probability of malignancy')),
                ('rows', models.PositiveIntegerField(verbose_name='rows')),
                ('columns', models.PositiveIntegerField(verbose_name='columns')),
                ('stimulus', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='cohort.stimulus')),
            ],
            options={
                'verbose_name': 'score',
                'constraints': [models.UniqueConstraint(fields=('stimulus', 'classifier'), name='one_score_a_run'), models.CheckConstraint(condition=models.Q(('probability__gte', 0), ('probability__lte', 1)), name='score_is_a_probability')],
            },
        ),
    ]
