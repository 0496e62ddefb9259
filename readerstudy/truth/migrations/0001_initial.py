
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('cohort', '0001_initial'),
        ('experiments', '0001_initial'),
        ('record', '0001_initial'),
        ('studies', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='AdversarialImport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(verbose_name='at')),
                ('pairs', models.JSONField(verbose_name='pairs')),
                ('tells', models.JSONField(verbose_name='what gives them away')),
                ('attack', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='experiments.attack', verbose_name='attack')),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'import of adversarial images',
            },
        ),
        migrations.CreateModel(
            name='Exclusion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(verbose_name='at')),
                ('reason', models.TextField(verbose_name='reason')),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('stimulus', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='cohort.stimulus')),
            ],
            options={
                'verbose_name': 'exclusion',
            },
        ),
        migrations.CreateModel(
            name='ImageTruth',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('pathology', models.CharField(choices=[('positive', 'With the finding'), ('other', 'With another finding'), ('normal', 'Normal')], max_length=9, verbose_name='pathology')),
                ('source', models.CharField(default='table', max_length=32, verbose_name='source')),
                ('lesions', models.JSONField(null=True, verbose_name='lesions')),
                ('groups', models.JSONField(default=dict, verbose_name='groups')),
                ('image', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='cohort.image')),
            ],
            options={
                'verbose_name': 'pathology',
            },
        ),
        migrations.CreateModel(
            name='Score',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('classifier', models.CharField(max_length=64, verbose_name='classifier run')),
                ('probability', models.FloatField(help_text='Of the finding; by a detector, that the image was altered.', verbose_name='probability')),
                ('rows', models.PositiveIntegerField(verbose_name='rows')),
                ('columns', models.PositiveIntegerField(verbose_name='columns')),
                ('stimulus', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='cohort.stimulus')),
            ],
            options={
                'verbose_name': 'score',
            },
        ),
        migrations.CreateModel(
            name='SealKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(editable=False, max_length=64)),
                ('commitment', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='record.commitment')),
                ('study', models.ForeignKey(on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='studies.study')),
            ],
            options={
                'verbose_name': 'key of a commitment',
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='Truth',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('authenticity', models.CharField(choices=[('real', 'Real'), ('adversarial', 'Adversarial')], max_length=11, verbose_name='authenticity')),
                ('label', models.PositiveSmallIntegerField(verbose_name='label as shown: 1 positive, 0 not')),
                ('direction', models.CharField(blank=True, choices=[('insert', 'Finding inserted'), ('remove', 'Finding removed')], max_length=6, verbose_name='direction')),
                ('generator', models.CharField(blank=True, max_length=64, verbose_name='generator run')),
                ('quality', models.JSONField(null=True, verbose_name='quality')),
                ('seed', models.BigIntegerField(null=True, verbose_name='seed')),
                ('difference_file', models.CharField(blank=True, max_length=80, verbose_name='difference image')),
                ('difference_bytes', models.PositiveIntegerField(null=True)),
                ('difference_sha256', models.CharField(blank=True, max_length=64)),
                ('attack', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='experiments.attack', verbose_name='attack')),
                ('source_image', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='cohort.stimulus', verbose_name='source image')),
                ('stimulus', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='cohort.stimulus')),
            ],
            options={
                'verbose_name': 'truth',
                'verbose_name_plural': 'truths',
            },
        ),
        migrations.CreateModel(
            name='Unsealing',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(verbose_name='at')),
                ('reason', models.TextField(verbose_name='reason')),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('confirmed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='confirmed by')),
                ('study', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='studies.study')),
            ],
            options={
                'verbose_name': 'unsealing',
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='adversarialimport',
            trigger=pgtrigger.compiler.Trigger(name='adversarial_import_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='6f28d4b726bf0b9bbe3b83a2452931a012c0c0e5', operation='UPDATE OR DELETE', pgid='pgtrigger_adversarial_import_append_only_07c98', table='truth_adversarialimport', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='exclusion',
            trigger=pgtrigger.compiler.Trigger(name='exclusion_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='7ef4c63ac3e4836835854795b98d454b80ac3e3d', operation='UPDATE OR DELETE', pgid='pgtrigger_exclusion_append_only_310c4', table='truth_exclusion', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='exclusion',
            trigger=pgtrigger.compiler.Trigger(name='logged', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', declare='DECLARE me "truth_exclusion"%ROWTYPE;', func="\n        IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - ARRAY[]::text[] = to_jsonb(NEW) - ARRAY[]::text[] THEN\n            RETURN NULL;\n        END IF;\n        me := COALESCE(NEW, OLD);\n        PERFORM record_note(\n            'truth_exclusion', me.id::text, TG_OP, '', record_canonical(me) - ARRAY['stimulus_id', 'reason']::text[], record_columns(record_canonical(me), ARRAY['stimulus_id', 'reason']::text[])\n        );\n        RETURN NULL;\n        ", hash='55e570badff88e5c968f5f8a4adde0d4de38ad4b', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_logged_6e19d', table='truth_exclusion', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='exclusion',
            trigger=pgtrigger.compiler.Trigger(name='not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'Cannot truncate %: it holds evidence.', TG_TABLE_NAME;", hash='2094805de672ecb5b67544c36cb37b195ea78eb0', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_not_truncated_ea4bb', table='truth_exclusion', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='imagetruth',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='5651ae0863317a4b99d90ea195c484d23ea973d6', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_35372', table='truth_imagetruth', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='imagetruth',
            trigger=pgtrigger.compiler.Trigger(name='not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'Cannot truncate %: it holds evidence.', TG_TABLE_NAME;", hash='29df6ca3ff799df4377f78b1b8355fea937a180c', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_not_truncated_48974', table='truth_imagetruth', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='score',
            constraint=models.UniqueConstraint(fields=('stimulus', 'classifier'), name='one_score_per_run'),
        ),
        migrations.AddConstraint(
            model_name='score',
            constraint=models.CheckConstraint(condition=models.Q(('probability__gte', 0), ('probability__lte', 1)), name='score_is_a_probability'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='score',
            trigger=pgtrigger.compiler.Trigger(name='score_kept', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='e51d0b4ec5d1d0b618dfecae293b7766b15c84b0', operation='DELETE', pgid='pgtrigger_score_kept_42a0b', table='truth_score', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='score',
            trigger=pgtrigger.compiler.Trigger(name='not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'Cannot truncate %: it holds evidence.', TG_TABLE_NAME;", hash='3220c5934f7b76ee1881d6636abb1340f6f1ba4e', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_not_truncated_4b97c', table='truth_score', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='sealkey',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='d2ab432bfea110e1e4272ced2a1ad54a078d98c6', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_73997', table='truth_sealkey', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='sealkey',
            trigger=pgtrigger.compiler.Trigger(name='not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'Cannot truncate %: it holds evidence.', TG_TABLE_NAME;", hash='8dfebf2b351843a7e018f452f8c0b426379f16f5', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_not_truncated_ea2a5', table='truth_sealkey', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='sealkey',
            trigger=pgtrigger.compiler.Trigger(name='logged', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', declare='DECLARE me "truth_sealkey"%ROWTYPE;', func="\n        IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - ARRAY[]::text[] = to_jsonb(NEW) - ARRAY[]::text[] THEN\n            RETURN NULL;\n        END IF;\n        me := COALESCE(NEW, OLD);\n        PERFORM record_note(\n            'truth_sealkey', me.id::text, TG_OP, (SELECT study.code FROM studies_study study WHERE study.id = me.study_id), record_canonical(me) - ARRAY['key']::text[], record_columns(record_canonical(me), ARRAY['key']::text[])\n        );\n        RETURN NULL;\n        ", hash='1053b8e1575076012375332325a27d803d355552', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_logged_b7d80', table='truth_sealkey', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='truth',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('authenticity', 'real'), ('direction', ''), ('generator', ''), ('source_image', None)), models.Q(('authenticity', 'adversarial'), ('source_image__isnull', False), models.Q(('generator', ''), _negated=True), models.Q(('direction', ''), _negated=True)), models.Q(('authenticity', 'adversarial'), ('difference_file', ''), ('direction', ''), ('source_image', None), models.Q(('generator', ''), _negated=True)), _connector='OR'), name='truth_adversarial_has_generator'),
        ),
        migrations.AddConstraint(
            model_name='truth',
            constraint=models.UniqueConstraint(condition=models.Q(('authenticity', 'adversarial')), fields=('source_image', 'generator'), name='one_adversarial_image_per_attack'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='truth',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='bb3963e394f403ccb90f706f6df85cf8343286da', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_5e219', table='truth_truth', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='truth',
            trigger=pgtrigger.compiler.Trigger(name='not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'Cannot truncate %: it holds evidence.', TG_TABLE_NAME;", hash='c95fc6f48244a4784d21ce89e9d3456dab9e2dac', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_not_truncated_339ab', table='truth_truth', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='unsealing',
            constraint=models.CheckConstraint(condition=models.Q(('confirmed_by', None), models.Q(('by__isnull', False), models.Q(('confirmed_by', models.F('by')), _negated=True)), _connector='OR'), name='unsealing_by_two_persons'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='unsealing',
            trigger=pgtrigger.compiler.Trigger(name='unsealing_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='44c9bb5f250b8a0ca394b4885c98c85e773eada4', operation='UPDATE OR DELETE', pgid='pgtrigger_unsealing_append_only_93849', table='truth_unsealing', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='unsealing',
            trigger=pgtrigger.compiler.Trigger(name='logged', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', declare='DECLARE me "truth_unsealing"%ROWTYPE;', func="\n        IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - ARRAY[]::text[] = to_jsonb(NEW) - ARRAY[]::text[] THEN\n            RETURN NULL;\n        END IF;\n        me := COALESCE(NEW, OLD);\n        PERFORM record_note(\n            'truth_unsealing', me.id::text, TG_OP, (SELECT study.code FROM studies_study study WHERE study.id = me.study_id), record_canonical(me) - ARRAY[]::text[], NULL\n        );\n        RETURN NULL;\n        ", hash='7c759e963dca49d2cbcbe859d1ac0794eb28a001', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_logged_125a1', table='truth_unsealing', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='unsealing',
            trigger=pgtrigger.compiler.Trigger(name='not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'Cannot truncate %: it holds evidence.', TG_TABLE_NAME;", hash='34b9e9418fa1d77aa1b377e878ba676f518a14b7', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_not_truncated_07e3f', table='truth_unsealing', when='BEFORE')),
        ),
    ]
