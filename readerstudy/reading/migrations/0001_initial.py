
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
import readerstudy.studies.models.lists
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('studies', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='CheckedDisplay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(verbose_name='checked')),
                ('passed', models.BooleanField(verbose_name='passed')),
                ('failures', models.JSONField(default=list, verbose_name='reasons for failing')),
                ('results', models.JSONField(default=dict, verbose_name='results')),
                ('reading_list', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='checked_displays', to='studies.readinglist')),
            ],
            options={
                'verbose_name': 'display check',
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='ImageProblem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', models.CharField(blank=True, max_length=500, verbose_name='what the reader wrote')),
                ('at', models.DateTimeField(verbose_name='reported')),
                ('key', models.UUIDField(unique=True, verbose_name='key')),
                ('presentation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='problems', to='studies.presentation')),
            ],
            options={
                'verbose_name': 'reported image',
                'verbose_name_plural': 'reported images',
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='Reading',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('verdict', models.CharField(choices=[('real', 'Real'), ('not_real', 'Not real'), ('unsure', 'Unsure'), ('seen', 'Seen')], max_length=8, verbose_name='verdict')),
                ('elapsed_ms', models.PositiveIntegerField(verbose_name='reading time, ms')),
                ('shown_at', models.DateTimeField(verbose_name='shown')),
                ('answered_at', models.DateTimeField(verbose_name='answered')),
                ('key', models.UUIDField(unique=True, verbose_name='key')),
                ('receipt', models.UUIDField(default=uuid.uuid4, editable=False, unique=True, verbose_name='receipt')),
                ('answers', models.JSONField(default=dict, verbose_name="answers to the plan's questions")),
                ('paradata', models.JSONField(default=dict, verbose_name='paradata')),
                ('quality', models.CharField(blank=True, choices=[('A', 'A: clocks agree'), ('B', 'B: differs, explained'), ('C', 'C: clocks contradict')], max_length=1, verbose_name='timing grade')),
                ('quality_reasons', models.JSONField(default=list, verbose_name='reasons for the grade')),
                ('presentation', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='reading', to='studies.presentation')),
            ],
            options={
                'verbose_name': 'reading',
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='ReadingSession',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('opened_at', models.DateTimeField(verbose_name='opened')),
                ('answered', models.PositiveIntegerField(default=0, verbose_name='answered')),
                ('finished_at', models.DateTimeField(null=True, verbose_name='finished')),
                ('practice_code', models.CharField(default=readerstudy.studies.models.lists.new_code, editable=False, max_length=32, verbose_name='code of the practice')),
                ('practised_at', models.DateTimeField(null=True, verbose_name='practised')),
                ('held_at', models.DateTimeField(null=True, verbose_name='on hold since')),
                ('held_for', models.CharField(blank=True, choices=[('rest', 'nothing was read for longer than the plan allows'), ('file', 'the file of an image is not the one that was drawn')], max_length=4, verbose_name='cause of the hold')),
                ('allowed_at', models.DateTimeField(null=True, verbose_name='resumed')),
                ('reading_list', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='session', to='studies.readinglist')),
            ],
            options={
                'verbose_name': 'reading session',
            },
        ),
        migrations.CreateModel(
            name='ClosingAnswers',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('answers', models.JSONField(default=dict, verbose_name="answers to the plan's questions")),
                ('elapsed_ms', models.PositiveIntegerField(verbose_name='time to answer, ms')),
                ('answered_at', models.DateTimeField(verbose_name='answered')),
                ('key', models.UUIDField(unique=True, verbose_name='key')),
                ('receipt', models.UUIDField(default=uuid.uuid4, editable=False, unique=True, verbose_name='receipt')),
                ('session', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='closing_answers', to='reading.readingsession')),
            ],
            options={
                'verbose_name': 'closing answers',
                'verbose_name_plural': 'closing answers',
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='Claim',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('page', models.UUIDField(verbose_name='page')),
                ('at', models.DateTimeField(verbose_name='taken')),
                ('rested_s', models.PositiveIntegerField(null=True, verbose_name='seconds since the last verdict')),
                ('session', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='claims', to='reading.readingsession')),
            ],
            options={
                'verbose_name': 'claim',
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='Showing',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(verbose_name='shown')),
                ('presentation', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='showing', to='studies.presentation')),
            ],
            options={
                'verbose_name': 'showing',
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='checkeddisplay',
            trigger=pgtrigger.compiler.Trigger(name='display_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='9ab640ee3b423750e239529543002d7646b034a7', operation='UPDATE OR DELETE', pgid='pgtrigger_display_append_only_e6868', table='reading_checkeddisplay', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='checkeddisplay',
            trigger=pgtrigger.compiler.Trigger(name='logged', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', declare='DECLARE me "reading_checkeddisplay"%ROWTYPE;', func="\n        IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - ARRAY[]::text[] = to_jsonb(NEW) - ARRAY[]::text[] THEN\n            RETURN NULL;\n        END IF;\n        me := COALESCE(NEW, OLD);\n        PERFORM record_note(\n            'reading_checkeddisplay', me.id::text, TG_OP, (SELECT study.code FROM studies_readinglist list JOIN studies_enrollment reader ON reader.id = list.enrollment_id JOIN studies_study study ON study.id = reader.study_id WHERE list.id = me.reading_list_id), record_canonical(me) - ARRAY[]::text[], NULL\n        );\n        RETURN NULL;\n        ", hash='2760d779475f5a9b82f9683430291902917458f6', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_logged_c18f0', table='reading_checkeddisplay', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='checkeddisplay',
            trigger=pgtrigger.compiler.Trigger(name='not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'Cannot truncate %: it holds evidence.', TG_TABLE_NAME;", hash='ef8bfe9e35c7859f819fee978761203d61152b79', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_not_truncated_bbb26', table='reading_checkeddisplay', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='imageproblem',
            trigger=pgtrigger.compiler.Trigger(name='problem_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='b2930a9fc2f83016109219dd8c6ecc62ed725940', operation='UPDATE OR DELETE', pgid='pgtrigger_problem_append_only_83a0b', table='reading_imageproblem', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='imageproblem',
            trigger=pgtrigger.compiler.Trigger(name='logged', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', declare='DECLARE me "reading_imageproblem"%ROWTYPE;', func="\n        IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - ARRAY[]::text[] = to_jsonb(NEW) - ARRAY[]::text[] THEN\n            RETURN NULL;\n        END IF;\n        me := COALESCE(NEW, OLD);\n        PERFORM record_note(\n            'reading_imageproblem', me.id::text, TG_OP, (SELECT study.code FROM studies_presentation shown JOIN studies_readinglist list ON list.id = shown.reading_list_id JOIN studies_enrollment reader ON reader.id = list.enrollment_id JOIN studies_study study ON study.id = reader.study_id WHERE shown.id = me.presentation_id), record_canonical(me) - ARRAY[]::text[], NULL\n        );\n        RETURN NULL;\n        ", hash='b1741dfdbf087ecf7ffb3e70bdd03115dd498727', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_logged_9cde2', table='reading_imageproblem', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='imageproblem',
            trigger=pgtrigger.compiler.Trigger(name='not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'Cannot truncate %: it holds evidence.', TG_TABLE_NAME;", hash='c6689f98606d7b7d49c9291586b7a7e0ad9fb24b', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_not_truncated_db037', table='reading_imageproblem', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='reading',
            constraint=models.CheckConstraint(condition=models.Q(('verdict__in', ['real', 'not_real', 'unsure', 'seen'])), name='reading_verdict_known'),
        ),
        migrations.AddConstraint(
            model_name='reading',
            constraint=models.CheckConstraint(condition=models.Q(('answered_at__gte', models.F('shown_at'))), name='reading_answered_after_shown'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='reading',
            trigger=pgtrigger.compiler.Trigger(name='reading_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='c6b4d9e1fd45a43aba6d279a2242170eb9d73663', operation='UPDATE OR DELETE', pgid='pgtrigger_reading_append_only_38385', table='reading_reading', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='reading',
            trigger=pgtrigger.compiler.Trigger(name='logged', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', declare='DECLARE me "reading_reading"%ROWTYPE;', func="\n        IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - ARRAY[]::text[] = to_jsonb(NEW) - ARRAY[]::text[] THEN\n            RETURN NULL;\n        END IF;\n        me := COALESCE(NEW, OLD);\n        PERFORM record_note(\n            'reading_reading', me.id::text, TG_OP, (SELECT study.code FROM studies_presentation shown JOIN studies_readinglist list ON list.id = shown.reading_list_id JOIN studies_enrollment reader ON reader.id = list.enrollment_id JOIN studies_study study ON study.id = reader.study_id WHERE shown.id = me.presentation_id), record_canonical(me) - ARRAY[]::text[], NULL\n        );\n        RETURN NULL;\n        ", hash='7f009d5d2da8dc074d627e7675ba1547e2a3a9b1', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_logged_6b260', table='reading_reading', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='reading',
            trigger=pgtrigger.compiler.Trigger(name='not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'Cannot truncate %: it holds evidence.', TG_TABLE_NAME;", hash='91117701d699d9265c8fc4577e5abba75bc7f4dd', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_not_truncated_4a2b5', table='reading_reading', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='readingsession',
            constraint=models.CheckConstraint(condition=models.Q(('held_for', ''), models.Q(('held_at__isnull', False), ('held_for__in', ['rest', 'file'])), _connector='OR'), name='session_hold_agrees'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='readingsession',
            trigger=pgtrigger.compiler.Trigger(name='session_kept', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='0658a92a57936ac5ef029ecd4e3f86bae5901100', operation='DELETE', pgid='pgtrigger_session_kept_8c705', table='reading_readingsession', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='readingsession',
            trigger=pgtrigger.compiler.Trigger(name='session_finished_once', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."finished_at" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='5e178ac260824efa04ee1fa0881a3f2ce6aa51ef', operation='UPDATE', pgid='pgtrigger_session_finished_once_80b9c', table='reading_readingsession', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='readingsession',
            trigger=pgtrigger.compiler.Trigger(name='logged', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', declare='DECLARE me "reading_readingsession"%ROWTYPE;', func="\n        IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - ARRAY['answered']::text[] = to_jsonb(NEW) - ARRAY['answered']::text[] THEN\n            RETURN NULL;\n        END IF;\n        me := COALESCE(NEW, OLD);\n        PERFORM record_note(\n            'reading_readingsession', me.id::text, TG_OP, (SELECT study.code FROM studies_readinglist list JOIN studies_enrollment reader ON reader.id = list.enrollment_id JOIN studies_study study ON study.id = reader.study_id WHERE list.id = me.reading_list_id), record_canonical(me) - ARRAY['answered']::text[], NULL\n        );\n        RETURN NULL;\n        ", hash='743a6368e947b858d5efd0524aa28c3d8296579b', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_logged_bea9f', table='reading_readingsession', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='readingsession',
            trigger=pgtrigger.compiler.Trigger(name='not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'Cannot truncate %: it holds evidence.', TG_TABLE_NAME;", hash='5d59d0ad56b2d1adf13d0893a8ac54519de07499', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_not_truncated_9306f', table='reading_readingsession', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='closinganswers',
            trigger=pgtrigger.compiler.Trigger(name='closing_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='9956fed8174275f51070516740b0d4e9e994a9a5', operation='UPDATE OR DELETE', pgid='pgtrigger_closing_append_only_f1c9f', table='reading_closinganswers', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='closinganswers',
            trigger=pgtrigger.compiler.Trigger(name='logged', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', declare='DECLARE me "reading_closinganswers"%ROWTYPE;', func="\n        IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - ARRAY[]::text[] = to_jsonb(NEW) - ARRAY[]::text[] THEN\n            RETURN NULL;\n        END IF;\n        me := COALESCE(NEW, OLD);\n        PERFORM record_note(\n            'reading_closinganswers', me.id::text, TG_OP, (SELECT study.code FROM reading_readingsession opened JOIN studies_readinglist list ON list.id = opened.reading_list_id JOIN studies_enrollment reader ON reader.id = list.enrollment_id JOIN studies_study study ON study.id = reader.study_id WHERE opened.id = me.session_id), record_canonical(me) - ARRAY[]::text[], NULL\n        );\n        RETURN NULL;\n        ", hash='1994b996fb2a52c6824ac148f3cff698e66b436a', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_logged_050b7', table='reading_closinganswers', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='closinganswers',
            trigger=pgtrigger.compiler.Trigger(name='not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'Cannot truncate %: it holds evidence.', TG_TABLE_NAME;", hash='52de1942ccc7055e6cacab61c689223c4251c4a6', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_not_truncated_12ccd', table='reading_closinganswers', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='claim',
            trigger=pgtrigger.compiler.Trigger(name='claim_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='3d0ef849856425f177424324f49613f77a0eb2c6', operation='UPDATE OR DELETE', pgid='pgtrigger_claim_append_only_f8bed', table='reading_claim', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='claim',
            trigger=pgtrigger.compiler.Trigger(name='logged', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', declare='DECLARE me "reading_claim"%ROWTYPE;', func="\n        IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - ARRAY[]::text[] = to_jsonb(NEW) - ARRAY[]::text[] THEN\n            RETURN NULL;\n        END IF;\n        me := COALESCE(NEW, OLD);\n        PERFORM record_note(\n            'reading_claim', me.id::text, TG_OP, (SELECT study.code FROM reading_readingsession opened JOIN studies_readinglist list ON list.id = opened.reading_list_id JOIN studies_enrollment reader ON reader.id = list.enrollment_id JOIN studies_study study ON study.id = reader.study_id WHERE opened.id = me.session_id), record_canonical(me) - ARRAY[]::text[], NULL\n        );\n        RETURN NULL;\n        ", hash='8489b1a394b223134cd7e7044316c736e4231df9', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_logged_caaf7', table='reading_claim', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='claim',
            trigger=pgtrigger.compiler.Trigger(name='not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'Cannot truncate %: it holds evidence.', TG_TABLE_NAME;", hash='13821ca6cc126df44ba944445d877c5bd3e42058', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_not_truncated_2d661', table='reading_claim', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='showing',
            trigger=pgtrigger.compiler.Trigger(name='showing_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='7768f5e29004e86a2c1fc7e2a41ee3303063950e', operation='UPDATE OR DELETE', pgid='pgtrigger_showing_append_only_5fc12', table='reading_showing', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='showing',
            trigger=pgtrigger.compiler.Trigger(name='logged', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', declare='DECLARE me "reading_showing"%ROWTYPE;', func="\n        IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - ARRAY[]::text[] = to_jsonb(NEW) - ARRAY[]::text[] THEN\n            RETURN NULL;\n        END IF;\n        me := COALESCE(NEW, OLD);\n        PERFORM record_note(\n            'reading_showing', me.id::text, TG_OP, (SELECT study.code FROM studies_presentation shown JOIN studies_readinglist list ON list.id = shown.reading_list_id JOIN studies_enrollment reader ON reader.id = list.enrollment_id JOIN studies_study study ON study.id = reader.study_id WHERE shown.id = me.presentation_id), record_canonical(me) - ARRAY[]::text[], NULL\n        );\n        RETURN NULL;\n        ", hash='a28b66c48b7c3496a9cbf0794307edc507dd001a', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_logged_dde82', table='reading_showing', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='showing',
            trigger=pgtrigger.compiler.Trigger(name='not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'Cannot truncate %: it holds evidence.', TG_TABLE_NAME;", hash='94797142b48fc9784f5e51529b511a160e12af06', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_not_truncated_9c83e', table='reading_showing', when='BEFORE')),
        ),
    ]
