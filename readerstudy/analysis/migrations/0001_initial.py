
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('studies', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ReportVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField(verbose_name='number')),
                ('at', models.DateTimeField(verbose_name='made')),
                ('reason', models.TextField(blank=True, verbose_name='reason')),
                ('readings', models.PositiveIntegerField(verbose_name='readings')),
                ('software', models.CharField(max_length=16, verbose_name='software version')),
                ('source_sha256', models.CharField(max_length=64, verbose_name='SHA-256 of the source files')),
                ('plan_sha256', models.CharField(max_length=64, verbose_name='SHA-256 of the plan')),
                ('analysis_sha256', models.CharField(max_length=64, verbose_name='SHA-256 of the analysis plan')),
                ('basis', models.JSONField(verbose_name='made from')),
                ('files', models.JSONField(verbose_name='files')),
                ('sha256', models.CharField(max_length=64, verbose_name='SHA-256')),
                ('by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by')),
                ('study', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='studies.study', verbose_name='study')),
            ],
            options={
                'verbose_name': 'version of a report',
                'verbose_name_plural': 'versions of reports',
                'ordering': ['study', 'number'],
            },
        ),
        migrations.CreateModel(
            name='ReportFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('language', models.CharField(max_length=8)),
                ('name', models.CharField(max_length=120)),
                ('content', models.BinaryField()),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='stored_files', to='analysis.reportversion')),
            ],
            options={
                'verbose_name': 'file of a report',
            },
        ),
        migrations.AddConstraint(
            model_name='reportversion',
            constraint=models.UniqueConstraint(fields=('study', 'number'), name='report_version_once'),
        ),
        migrations.AddConstraint(
            model_name='reportversion',
            constraint=models.CheckConstraint(condition=models.Q(('number', 1), models.Q(('number__gt', 1), models.Q(('reason', ''), _negated=True)), _connector='OR'), name='report_version_has_reason'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='reportversion',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='d35e0ea24b64f1f546d634cfd51c1bbc4a35992c', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_d154d', table='analysis_reportversion', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='reportversion',
            trigger=pgtrigger.compiler.Trigger(name='not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'Cannot truncate %: it holds evidence.', TG_TABLE_NAME;", hash='c279a59989e9b3fa0e8c767a1072daa2404d04b2', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_not_truncated_24b19', table='analysis_reportversion', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='reportversion',
            trigger=pgtrigger.compiler.Trigger(name='logged', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', declare='DECLARE me "analysis_reportversion"%ROWTYPE;', func="\n        IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - ARRAY[]::text[] = to_jsonb(NEW) - ARRAY[]::text[] THEN\n            RETURN NULL;\n        END IF;\n        me := COALESCE(NEW, OLD);\n        PERFORM record_note(\n            'analysis_reportversion', me.id::text, TG_OP, (SELECT study.code FROM studies_study study WHERE study.id = me.study_id), record_canonical(me) - ARRAY[]::text[], NULL\n        );\n        RETURN NULL;\n        ", hash='757bdb4e4e9b8d4c4e642e3ced4ab7862826c0fc', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_logged_66a6f', table='analysis_reportversion', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='reportfile',
            constraint=models.UniqueConstraint(fields=('version', 'language', 'name'), name='report_file_once'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='reportfile',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='946165e4f952b81e0e7be86d18d146912146435c', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_04b9e', table='analysis_reportfile', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='reportfile',
            trigger=pgtrigger.compiler.Trigger(name='not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'Cannot truncate %: it holds evidence.', TG_TABLE_NAME;", hash='768a84839404cfeeb445390be4850ece44e630d2', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_not_truncated_40b3e', table='analysis_reportfile', when='BEFORE')),
        ),
    ]
