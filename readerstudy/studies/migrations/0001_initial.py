
import django.db.models.deletion
import django.db.models.lookups
import pgtrigger.compiler
import pgtrigger.migrations
import readerstudy.studies.models.lists
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('cohort', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Arm',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.SlugField(max_length=16, verbose_name='name')),
                ('resolution', models.CharField(max_length=16, verbose_name='resolution')),
            ],
            options={
                'verbose_name': 'arm',
            },
        ),
        migrations.CreateModel(
            name='Enrollment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=16, verbose_name='reader code')),
                ('enrolled_at', models.DateTimeField(verbose_name='enrolled')),
                ('override_reason', models.CharField(blank=True, max_length=2000, verbose_name='reason for repeated images')),
                ('paused_at', models.DateTimeField(blank=True, null=True, verbose_name='paused')),
                ('resumed_at', models.DateTimeField(blank=True, null=True, verbose_name='last resumed')),
                ('withdrawn_at', models.DateTimeField(blank=True, null=True, verbose_name='withdrawn')),
                ('withdrawal_cause', models.CharField(blank=True, choices=[('study_team', 'by the study team'), ('consent', 'consent withdrawn')], max_length=10, verbose_name='cause of the withdrawal')),
                ('withdrawal_reason', models.CharField(blank=True, max_length=2000, verbose_name='reason of the withdrawal')),
                ('arm', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='enrollments', to='studies.arm')),
                ('reader', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='enrollments', to=settings.AUTH_USER_MODEL)),
                ('replaces', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='replaced_by', to='studies.enrollment', verbose_name='replaces')),
                ('withdrawn_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='withdrawn by')),
            ],
            options={
                'verbose_name': 'enrollment',
            },
        ),
        migrations.CreateModel(
            name='ReadingList',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('place', models.PositiveSmallIntegerField(verbose_name='place')),
                ('washout_days', models.PositiveSmallIntegerField(default=0, verbose_name='least days after the session before')),
                ('washout_waived_at', models.DateTimeField(null=True, verbose_name='washout waived')),
                ('enrollment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reading_lists', to='studies.enrollment')),
            ],
            options={
                'verbose_name': 'reading list',
                'ordering': ['place'],
            },
        ),
        migrations.CreateModel(
            name='Presentation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveIntegerField(verbose_name='position')),
                ('code', models.CharField(default=readerstudy.studies.models.lists.new_code, editable=False, max_length=32, unique=True, verbose_name='code')),
                ('is_repeat', models.BooleanField(default=False, editable=False, verbose_name='shown again')),
                ('stimulus', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='cohort.stimulus')),
                ('reading_list', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='presentations', to='studies.readinglist')),
            ],
            options={
                'verbose_name': 'presentation',
                'ordering': ['reading_list', 'position'],
            },
        ),
        migrations.CreateModel(
            name='SessionPlan',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField(verbose_name='number')),
                ('kind', models.CharField(choices=[('familiarisation', 'Familiarisation'), ('blinded', 'Blinded reading'), ('education', 'Education'), ('questionnaire', 'Questionnaire')], max_length=16, verbose_name='kind')),
                ('title', models.CharField(max_length=80, verbose_name='title')),
                ('instructions', models.TextField(verbose_name='instructions')),
                ('total', models.PositiveIntegerField(verbose_name='images')),
                ('washout_days', models.PositiveSmallIntegerField(default=0, verbose_name='least days after the session before')),
                ('rules_data', models.JSONField(default=dict, verbose_name='rules')),
                ('order', models.CharField(default='same', max_length=10, verbose_name='order of the images')),
                ('languages', models.JSONField(default=list, verbose_name='languages')),
                ('texts', models.JSONField(default=dict, verbose_name='texts by language')),
                ('practice', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='cohort.stimulus', verbose_name='practice image')),
            ],
            options={
                'verbose_name': 'session plan',
                'ordering': ['study', 'number'],
            },
        ),
        migrations.AddField(
            model_name='readinglist',
            name='session_plan',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reading_lists', to='studies.sessionplan'),
        ),
        migrations.CreateModel(
            name='DisplayedAid',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('score', models.DecimalField(decimal_places=2, max_digits=3, verbose_name='score')),
                ('threshold', models.DecimalField(decimal_places=2, max_digits=3, verbose_name='threshold')),
                ('is_above', models.BooleanField(verbose_name='above the threshold')),
                ('stimulus', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='cohort.stimulus')),
                ('session_plan', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='aids', to='studies.sessionplan')),
            ],
            options={
                'verbose_name': 'displayed aid',
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='Allocation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveIntegerField(verbose_name='position')),
                ('is_repeat', models.BooleanField(default=False, verbose_name='shown again')),
                ('stimulus', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='cohort.stimulus')),
                ('arm', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='allocations', to='studies.arm')),
                ('session_plan', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='allocations', to='studies.sessionplan')),
            ],
            options={
                'verbose_name': 'allocation',
                'ordering': ['session_plan', 'arm', 'position'],
            },
        ),
        migrations.CreateModel(
            name='Study',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.SlugField(max_length=64, unique=True, verbose_name='code')),
                ('title', models.CharField(max_length=160, verbose_name='title')),
                ('template', models.CharField(max_length=32, verbose_name='template')),
                ('protocol_data', models.JSONField(default=dict, verbose_name='protocol')),
                ('seed', models.BigIntegerField(blank=True, null=True, verbose_name='seed of the draw')),
                ('plan', models.JSONField(default=dict, verbose_name='plan as drawn')),
                ('plan_sha256', models.CharField(blank=True, max_length=64, verbose_name='SHA-256 of the plan')),
                ('analysis_sha256', models.CharField(blank=True, max_length=64, verbose_name='SHA-256 of the analysis plan')),
                ('image_bytes', models.PositiveIntegerField(blank=True, null=True, verbose_name='bytes of an image answer')),
                ('is_rehearsal', models.BooleanField(default=False, verbose_name='rehearsal')),
                ('status', models.CharField(choices=[('draft', 'In draft'), ('rehearsed', 'Rehearsed'), ('locked', 'Locked'), ('open', 'Open'), ('paused', 'Paused'), ('closed', 'Closed'), ('unsealed', 'Unsealed'), ('archived', 'Archived')], default='draft', max_length=9, verbose_name='status')),
                ('created_at', models.DateTimeField(verbose_name='created')),
                ('rehearsed_at', models.DateTimeField(blank=True, null=True, verbose_name='rehearsed')),
                ('locked_at', models.DateTimeField(blank=True, null=True, verbose_name='locked')),
                ('opened_at', models.DateTimeField(blank=True, null=True, verbose_name='opened')),
                ('paused_at', models.DateTimeField(blank=True, null=True, verbose_name='paused')),
                ('resumed_at', models.DateTimeField(blank=True, null=True, verbose_name='last resumed')),
                ('closed_at', models.DateTimeField(blank=True, null=True, verbose_name='closed')),
                ('unsealed_at', models.DateTimeField(blank=True, null=True, verbose_name='unsealed')),
                ('archived_at', models.DateTimeField(blank=True, null=True, verbose_name='archived')),
                ('cohort', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='cohort.cohort', verbose_name='cohort')),
                ('locked_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='locked by')),
            ],
            options={
                'verbose_name': 'study',
                'verbose_name_plural': 'studies',
            },
        ),
        migrations.AddField(
            model_name='sessionplan',
            name='study',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='session_plans', to='studies.study'),
        ),
        migrations.AddField(
            model_name='enrollment',
            name='study',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='enrollments', to='studies.study'),
        ),
        migrations.CreateModel(
            name='Draw',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('seed', models.BigIntegerField(verbose_name='seed of the draw')),
                ('plan', models.JSONField(verbose_name='plan as drawn')),
                ('lists', models.JSONField(verbose_name='lists')),
                ('plan_sha256', models.CharField(max_length=64, verbose_name='SHA-256 of the plan')),
                ('analysis_sha256', models.CharField(max_length=64, verbose_name='SHA-256 of the analysis plan')),
                ('drawn_at', models.DateTimeField(verbose_name='drawn')),
                ('replaced_at', models.DateTimeField(verbose_name='unlocked')),
                ('reason', models.TextField(verbose_name='reason')),
                ('drawn_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='drawn by')),
                ('replaced_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='unlocked by')),
                ('study', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='draws', to='studies.study', verbose_name='study')),
            ],
            options={
                'verbose_name': 'earlier draw',
                'verbose_name_plural': 'earlier draws',
                'ordering': ['-id'],
            },
        ),
        migrations.AddField(
            model_name='arm',
            name='study',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='arms', to='studies.study'),
        ),
        migrations.CreateModel(
            name='StudyMember',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(choices=[('reader', 'Reader'), ('coordinator', 'Coordinator'), ('researcher', 'Researcher')], max_length=16, verbose_name='role in the study')),
                ('added_at', models.DateTimeField(verbose_name='added')),
                ('removed_at', models.DateTimeField(null=True, verbose_name='removed')),
                ('added_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='person')),
                ('removed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('study', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='members', to='studies.study', verbose_name='study')),
            ],
            options={
                'verbose_name': 'member of a study',
                'verbose_name_plural': 'members of studies',
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='Unblinding',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField(verbose_name='number')),
                ('revision', models.PositiveSmallIntegerField(default=1, verbose_name='revision')),
                ('happened_at', models.DateTimeField(verbose_name='happened')),
                ('persons', models.TextField(verbose_name='who learnt it')),
                ('learnt', models.TextField(verbose_name='what they learnt')),
                ('how', models.TextField(verbose_name='how it happened')),
                ('readers', models.JSONField(default=list, verbose_name='readers')),
                ('sessions', models.JSONField(default=list, verbose_name='sessions')),
                ('at', models.DateTimeField(verbose_name='recorded')),
                ('by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='recorded by')),
                ('study', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='unblindings', to='studies.study', verbose_name='study')),
            ],
            options={
                'verbose_name': 'unplanned unblinding',
                'verbose_name_plural': 'unplanned unblindings',
                'ordering': ['study', 'number', 'revision'],
            },
        ),
        migrations.CreateModel(
            name='UnblindingAssessment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField(verbose_name='number')),
                ('consequence', models.CharField(choices=[('none', 'None: the readings stay'), ('excluded', 'Readings are excluded'), ('withdrawn', 'A reader is withdrawn')], max_length=9, verbose_name='consequence')),
                ('text', models.TextField(verbose_name='assessment')),
                ('readings', models.PositiveIntegerField(null=True, verbose_name='affected readings')),
                ('at', models.DateTimeField(verbose_name='assessed')),
                ('by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='assessed by')),
                ('study', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='unblinding_assessments', to='studies.study', verbose_name='study')),
            ],
            options={
                'verbose_name': 'assessment of an unblinding',
                'verbose_name_plural': 'assessments of unblindings',
                'ordering': ['study', 'number', 'id'],
            },
        ),
        migrations.CreateModel(
            name='UnsealingRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(verbose_name='requested')),
                ('reason', models.TextField(verbose_name='reason')),
                ('expires_at', models.DateTimeField(verbose_name='expires')),
                ('outcome', models.CharField(blank=True, choices=[('confirmed', 'Confirmed'), ('withdrawn', 'Withdrawn'), ('expired', 'Expired')], max_length=9, verbose_name='outcome')),
                ('ended_at', models.DateTimeField(null=True, verbose_name='ended')),
                ('by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='requested by')),
                ('ended_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='ended by')),
                ('study', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='unsealing_requests', to='studies.study', verbose_name='study')),
            ],
            options={
                'verbose_name': 'request to unseal a study',
                'verbose_name_plural': 'requests to unseal studies',
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='AnalysisExclusion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.CharField(max_length=2000, verbose_name='reason')),
                ('at', models.DateTimeField(verbose_name='excluded')),
                ('withdrawn_at', models.DateTimeField(null=True, verbose_name='withdrawn')),
                ('allocation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='exclusions', to='studies.allocation')),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'exclusion from the analysis',
                'verbose_name_plural': 'exclusions from the analysis',
                'ordering': ['id'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('withdrawn_at', None)), fields=('allocation',), name='allocation_excluded_once')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='analysisexclusion',
            trigger=pgtrigger.compiler.Trigger(name='exclusion_kept', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='1027882e61406b7876aa96010121d944e8d0d823', operation='DELETE', pgid='pgtrigger_exclusion_kept_524a1', table='studies_analysisexclusion', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='analysisexclusion',
            trigger=pgtrigger.compiler.Trigger(name='exclusion_locked', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."allocation_id" IS DISTINCT FROM (NEW."allocation_id") OR OLD."at" IS DISTINCT FROM (NEW."at") OR OLD."by_id" IS DISTINCT FROM (NEW."by_id") OR OLD."reason" IS DISTINCT FROM (NEW."reason"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='a6548335d4e133c00f6eb1a4ab6ce5b0dd60ff47', operation='UPDATE', pgid='pgtrigger_exclusion_locked_d3100', table='studies_analysisexclusion', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='analysisexclusion',
            trigger=pgtrigger.compiler.Trigger(name='exclusion_withdrawn_once', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."withdrawn_at" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='c1b36dedd63f91418b9894f55a570784eb0292a5', operation='UPDATE', pgid='pgtrigger_exclusion_withdrawn_once_f5b41', table='studies_analysisexclusion', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='analysisexclusion',
            trigger=pgtrigger.compiler.Trigger(name='logged', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', declare='DECLARE me "studies_analysisexclusion"%ROWTYPE;', func="\n        IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - ARRAY[]::text[] = to_jsonb(NEW) - ARRAY[]::text[] THEN\n            RETURN NULL;\n        END IF;\n        me := COALESCE(NEW, OLD);\n        PERFORM record_note(\n            'studies_analysisexclusion', me.id::text, TG_OP, (SELECT study.code FROM studies_allocation drawn JOIN studies_sessionplan plan ON plan.id = drawn.session_plan_id JOIN studies_study study ON study.id = plan.study_id WHERE drawn.id = me.allocation_id), record_canonical(me) - ARRAY[]::text[], NULL\n        );\n        RETURN NULL;\n        ", hash='1b0e9816b14973c6d23e9a6db9571d52f64ae877', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_logged_9dc51', table='studies_analysisexclusion', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='analysisexclusion',
            trigger=pgtrigger.compiler.Trigger(name='not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'Cannot truncate %: it holds evidence.', TG_TABLE_NAME;", hash='5a757eaebde66316702759e34fa26d2f541bc751', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_not_truncated_ab218', table='studies_analysisexclusion', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='presentation',
            constraint=models.UniqueConstraint(fields=('reading_list', 'position'), name='presentation_position_once'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='presentation',
            trigger=pgtrigger.compiler.Trigger(name='drawn_once', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='f0425e5199b2d2ed2c1991612c07d4469e34eb99', operation='UPDATE', pgid='pgtrigger_drawn_once_1088d', table='studies_presentation', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='presentation',
            trigger=pgtrigger.compiler.Trigger(name='kept_once_begun', sql=pgtrigger.compiler.UpsertTriggerSql(func="\nIF EXISTS (\n    SELECT 1 FROM reading_readingsession begun JOIN studies_readinglist list ON list.id = begun.reading_list_id\n    WHERE list.id = OLD.reading_list_id\n) THEN\n    RAISE EXCEPTION 'Cannot delete rows from %: a reader has begun.', TG_TABLE_NAME;\nEND IF;\nRETURN OLD;\n", hash='7b64cb6a164c771f67dc92bfa8af68780bd77f60', operation='DELETE', pgid='pgtrigger_kept_once_begun_9be77', table='studies_presentation', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='presentation',
            trigger=pgtrigger.compiler.Trigger(name='not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'Cannot truncate %: it holds evidence.', TG_TABLE_NAME;", hash='b6371b07f7b90860e929c109553b186652f1ba53', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_not_truncated_aac46', table='studies_presentation', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='readinglist',
            constraint=models.UniqueConstraint(fields=('enrollment', 'session_plan'), name='reading_list_once'),
        ),
        migrations.AddConstraint(
            model_name='readinglist',
            constraint=models.UniqueConstraint(fields=('enrollment', 'place'), name='reading_list_place_once'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='readinglist',
            trigger=pgtrigger.compiler.Trigger(name='logged', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', declare='DECLARE me "studies_readinglist"%ROWTYPE;', func="\n        IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - ARRAY[]::text[] = to_jsonb(NEW) - ARRAY[]::text[] THEN\n            RETURN NULL;\n        END IF;\n        me := COALESCE(NEW, OLD);\n        PERFORM record_note(\n            'studies_readinglist', me.id::text, TG_OP, (SELECT study.code FROM studies_enrollment reader JOIN studies_study study ON study.id = reader.study_id WHERE reader.id = me.enrollment_id), record_canonical(me) - ARRAY[]::text[], NULL\n        );\n        RETURN NULL;\n        ", hash='3d430397e33bc1659d36c5dc38f6946b8e0c571b', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_logged_74431', table='studies_readinglist', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='readinglist',
            trigger=pgtrigger.compiler.Trigger(name='not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'Cannot truncate %: it holds evidence.', TG_TABLE_NAME;", hash='cf15cf0009edf151982849dfe06521688405f7bd', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_not_truncated_4a5da', table='studies_readinglist', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='readinglist',
            trigger=pgtrigger.compiler.Trigger(name='list_logged', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', declare='DECLARE me "studies_readinglist"%ROWTYPE;', func="\n        IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - ARRAY[]::text[] = to_jsonb(NEW) - ARRAY[]::text[] THEN\n            RETURN NULL;\n        END IF;\n        me := COALESCE(NEW, OLD);\n        PERFORM record_note(\n            'studies_presentation', me.id::text, TG_OP, (SELECT study.code FROM studies_enrollment reader JOIN studies_study study ON study.id = reader.study_id WHERE reader.id = me.enrollment_id), jsonb_build_object('count', (SELECT count(*) FROM studies_presentation item WHERE item.reading_list_id = me.id)), (SELECT COALESCE(jsonb_agg(record_canonical(item) ORDER BY item.position), '[]') FROM studies_presentation item WHERE item.reading_list_id = me.id)\n        );\n        RETURN NULL;\n        ", hash='c646974658a0f0f70fbb4db2dd95a8a55e5102de', operation='INSERT OR DELETE', pgid='pgtrigger_list_logged_f6436', table='studies_readinglist', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='displayedaid',
            constraint=models.UniqueConstraint(fields=('session_plan', 'stimulus'), name='displayed_aid_once'),
        ),
        migrations.AddConstraint(
            model_name='displayedaid',
            constraint=models.CheckConstraint(condition=models.Q(django.db.models.lookups.Range(models.F('score'), (0, 1)), ('threshold__range', (0, 1))), name='displayed_aid_within_range'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='displayedaid',
            trigger=pgtrigger.compiler.Trigger(name='drawn_once', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='69e3b6f00a71c51518986edf78bb25cadd3b72c1', operation='UPDATE', pgid='pgtrigger_drawn_once_19208', table='studies_displayedaid', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='displayedaid',
            trigger=pgtrigger.compiler.Trigger(name='kept_once_begun', sql=pgtrigger.compiler.UpsertTriggerSql(func="\nIF EXISTS (\n    SELECT 1 FROM reading_readingsession begun JOIN studies_readinglist list ON list.id = begun.reading_list_id\n    WHERE list.session_plan_id = OLD.session_plan_id\n) THEN\n    RAISE EXCEPTION 'Cannot delete rows from %: a reader has begun.', TG_TABLE_NAME;\nEND IF;\nRETURN OLD;\n", hash='ded398a50ac4fc3cd297d6b6fd18b0b862fa658e', operation='DELETE', pgid='pgtrigger_kept_once_begun_6f627', table='studies_displayedaid', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='displayedaid',
            trigger=pgtrigger.compiler.Trigger(name='not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'Cannot truncate %: it holds evidence.', TG_TABLE_NAME;", hash='a5cff8959ceb76f1dbf888a6d08cc25d797fa47a', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_not_truncated_ba8d6', table='studies_displayedaid', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='allocation',
            constraint=models.UniqueConstraint(fields=('session_plan', 'arm', 'position'), name='allocation_position_once'),
        ),
        migrations.AddConstraint(
            model_name='allocation',
            constraint=models.UniqueConstraint(fields=('session_plan', 'arm', 'stimulus', 'is_repeat'), name='allocation_stimulus_once'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='allocation',
            trigger=pgtrigger.compiler.Trigger(name='drawn_once', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='a03fe4610fdf79331b308ebf411649c5c9738b0b', operation='UPDATE', pgid='pgtrigger_drawn_once_1faf3', table='studies_allocation', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='allocation',
            trigger=pgtrigger.compiler.Trigger(name='kept_once_begun', sql=pgtrigger.compiler.UpsertTriggerSql(func="\nIF EXISTS (\n    SELECT 1 FROM reading_readingsession begun JOIN studies_readinglist list ON list.id = begun.reading_list_id\n    WHERE list.session_plan_id = OLD.session_plan_id\n) THEN\n    RAISE EXCEPTION 'Cannot delete rows from %: a reader has begun.', TG_TABLE_NAME;\nEND IF;\nRETURN OLD;\n", hash='e6a9bb6c112aabc5e77b486a37ecb2ca007281b9', operation='DELETE', pgid='pgtrigger_kept_once_begun_f1e49', table='studies_allocation', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='allocation',
            trigger=pgtrigger.compiler.Trigger(name='not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'Cannot truncate %: it holds evidence.', TG_TABLE_NAME;", hash='bda0a3eda05838655c6eb345e1a2c4de93942b03', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_not_truncated_b01bb', table='studies_allocation', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='study',
            constraint=models.CheckConstraint(condition=models.Q(('code__regex', '^[A-Za-z0-9_][A-Za-z0-9_-]*$')), name='study_code_follows_rule'),
        ),
        migrations.AddConstraint(
            model_name='study',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('locked_at__isnull', False), ('status__in', ['locked', 'open', 'paused', 'closed', 'unsealed', 'archived'])), models.Q(models.Q(('status__in', ['locked', 'open', 'paused', 'closed', 'unsealed', 'archived']), _negated=True), ('locked_at__isnull', True)), _connector='OR'), name='study_locked_at_agrees'),
        ),
        migrations.AddConstraint(
            model_name='study',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('seed__isnull', False), ('status__in', ['locked', 'open', 'paused', 'closed', 'unsealed', 'archived'])), models.Q(models.Q(('status__in', ['locked', 'open', 'paused', 'closed', 'unsealed', 'archived']), _negated=True), ('seed__isnull', True)), _connector='OR'), name='study_seed_agrees'),
        ),
        migrations.AddConstraint(
            model_name='study',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('image_bytes__isnull', False), ('status__in', ['locked', 'open', 'paused', 'closed', 'unsealed', 'archived'])), models.Q(models.Q(('status__in', ['locked', 'open', 'paused', 'closed', 'unsealed', 'archived']), _negated=True), ('image_bytes__isnull', True)), _connector='OR'), name='study_image_bytes_agrees'),
        ),
        migrations.AddConstraint(
            model_name='study',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('opened_at__isnull', False), ('status__in', ['open', 'paused', 'closed', 'unsealed', 'archived'])), models.Q(models.Q(('status__in', ['open', 'paused', 'closed', 'unsealed', 'archived']), _negated=True), ('opened_at__isnull', True)), _connector='OR'), name='study_opened_at_agrees'),
        ),
        migrations.AddConstraint(
            model_name='study',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('paused_at__isnull', False), ('status__in', ['paused'])), models.Q(models.Q(('status__in', ['paused']), _negated=True), ('paused_at__isnull', True)), _connector='OR'), name='study_paused_at_agrees'),
        ),
        migrations.AddConstraint(
            model_name='study',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('closed_at__isnull', False), ('status__in', ['closed', 'unsealed', 'archived'])), models.Q(models.Q(('status__in', ['closed', 'unsealed', 'archived']), _negated=True), ('closed_at__isnull', True)), _connector='OR'), name='study_closed_at_agrees'),
        ),
        migrations.AddConstraint(
            model_name='study',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status__in', ['unsealed', 'archived']), ('unsealed_at__isnull', False)), models.Q(models.Q(('status__in', ['unsealed', 'archived']), _negated=True), ('unsealed_at__isnull', True)), _connector='OR'), name='study_unsealed_at_agrees'),
        ),
        migrations.AddConstraint(
            model_name='study',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('archived_at__isnull', False), ('status__in', ['archived'])), models.Q(models.Q(('status__in', ['archived']), _negated=True), ('archived_at__isnull', True)), _connector='OR'), name='study_archived_at_agrees'),
        ),
        migrations.AddConstraint(
            model_name='study',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('rehearsed_at__isnull', False), ('status', 'rehearsed')), models.Q(('rehearsed_at__isnull', True), ('status', 'draft')), models.Q(('status__in', ['draft', 'rehearsed']), _negated=True), _connector='OR'), name='study_rehearsed_at_agrees'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='study',
            trigger=pgtrigger.compiler.Trigger(name='plan_locked', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."locked_at" IS NOT NULL AND OLD."locked_at" IS NOT NULL AND (OLD."plan" IS DISTINCT FROM (NEW."plan") OR OLD."protocol_data" IS DISTINCT FROM (NEW."protocol_data") OR OLD."seed" IS DISTINCT FROM (NEW."seed") OR OLD."image_bytes" IS DISTINCT FROM (NEW."image_bytes") OR OLD."plan_sha256" IS DISTINCT FROM (NEW."plan_sha256") OR OLD."analysis_sha256" IS DISTINCT FROM (NEW."analysis_sha256") OR OLD."template" IS DISTINCT FROM (NEW."template") OR OLD."cohort_id" IS DISTINCT FROM (NEW."cohort_id") OR OLD."is_rehearsal" IS DISTINCT FROM (NEW."is_rehearsal") OR OLD."locked_at" IS DISTINCT FROM (NEW."locked_at") OR OLD."locked_by_id" IS DISTINCT FROM (NEW."locked_by_id")))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='7a093e9c0f65387a5c51da96ecab44b2b5e1536b', operation='UPDATE', pgid='pgtrigger_plan_locked_4c1d6', table='studies_study', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='study',
            trigger=pgtrigger.compiler.Trigger(name='known_move', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."status" IS DISTINCT FROM (NEW."status"))', func="\nIF (OLD.status, NEW.status) NOT IN (('rehearsed', 'draft'), ('locked', 'draft'), ('open', 'draft'), ('paused', 'draft'), ('draft', 'rehearsed'), ('draft', 'locked'), ('rehearsed', 'locked'), ('locked', 'open'), ('paused', 'open'), ('open', 'paused'), ('open', 'closed'), ('paused', 'closed'), ('closed', 'unsealed'), ('unsealed', 'archived')) THEN\n    RAISE EXCEPTION 'Cannot move the study % from % to %.', OLD.code, OLD.status, NEW.status;\nEND IF;\nIF NEW.locked_at IS NULL AND EXISTS (SELECT 1 FROM studies_sessionplan plan WHERE plan.study_id = NEW.id) THEN\n    RAISE EXCEPTION 'Cannot unlock the study %: its lists are still drawn.', OLD.code;\nEND IF;\nIF NEW.status = 'unsealed' AND NOT NEW.is_rehearsal\n    AND COALESCE((NEW.plan->>'persons_to_unseal')::int, 1) > 1\n    AND NOT EXISTS (\n        SELECT 1 FROM studies_unsealingrequest request WHERE request.study_id = NEW.id AND request.outcome = 'confirmed'\n    )\nTHEN\n    RAISE EXCEPTION 'Cannot unseal the study %: nobody has confirmed it.', OLD.code;\nEND IF;\nRETURN NEW;\n", hash='00672fa98c518bc9e58b564be85ecdd7d6bf5496', operation='UPDATE', pgid='pgtrigger_known_move_741aa', table='studies_study', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='study',
            trigger=pgtrigger.compiler.Trigger(name='logged', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', declare='DECLARE me "studies_study"%ROWTYPE;', func="\n        IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - ARRAY[]::text[] = to_jsonb(NEW) - ARRAY[]::text[] THEN\n            RETURN NULL;\n        END IF;\n        me := COALESCE(NEW, OLD);\n        PERFORM record_note(\n            'studies_study', me.id::text, TG_OP, me.code, record_canonical(me) - ARRAY['seed']::text[], record_columns(record_canonical(me), ARRAY['seed']::text[])\n        );\n        RETURN NULL;\n        ", hash='0db54468b1fce434d5211f4a1e7313790f381096', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_logged_cde41', table='studies_study', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='study',
            trigger=pgtrigger.compiler.Trigger(name='not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'Cannot truncate %: it holds evidence.', TG_TABLE_NAME;", hash='46004bf2a585e9d6093da1af079a3bd658269055', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_not_truncated_31481', table='studies_study', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='sessionplan',
            constraint=models.UniqueConstraint(fields=('study', 'number'), name='session_number_once'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='sessionplan',
            trigger=pgtrigger.compiler.Trigger(name='drawn_once', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='a8364cdebd997a0951b33d69ab13880242e0c1f3', operation='UPDATE', pgid='pgtrigger_drawn_once_4b686', table='studies_sessionplan', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='sessionplan',
            trigger=pgtrigger.compiler.Trigger(name='logged', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', declare='DECLARE me "studies_sessionplan"%ROWTYPE;', func="\n        IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - ARRAY[]::text[] = to_jsonb(NEW) - ARRAY[]::text[] THEN\n            RETURN NULL;\n        END IF;\n        me := COALESCE(NEW, OLD);\n        PERFORM record_note(\n            'studies_sessionplan', me.id::text, TG_OP, (SELECT study.code FROM studies_study study WHERE study.id = me.study_id), record_canonical(me) - ARRAY['practice_id']::text[], record_columns(record_canonical(me), ARRAY['practice_id']::text[])\n        );\n        RETURN NULL;\n        ", hash='31f7eb62d885398e9885977a7f784e23f6dd14d3', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_logged_332b1', table='studies_sessionplan', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='sessionplan',
            trigger=pgtrigger.compiler.Trigger(name='not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'Cannot truncate %: it holds evidence.', TG_TABLE_NAME;", hash='c729e78a738146e00df401c995c0a48f37d2a657', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_not_truncated_9e33d', table='studies_sessionplan', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='sessionplan',
            trigger=pgtrigger.compiler.Trigger(name='list_logged', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', declare='DECLARE me "studies_sessionplan"%ROWTYPE;', func="\n        IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - ARRAY[]::text[] = to_jsonb(NEW) - ARRAY[]::text[] THEN\n            RETURN NULL;\n        END IF;\n        me := COALESCE(NEW, OLD);\n        PERFORM record_note(\n            'studies_allocation', me.id::text, TG_OP, (SELECT study.code FROM studies_study study WHERE study.id = me.study_id), jsonb_build_object('count', (SELECT count(*) FROM studies_allocation item WHERE item.session_plan_id = me.id)), (SELECT COALESCE(jsonb_agg(record_canonical(item) ORDER BY item.arm_id, item.position), '[]') FROM studies_allocation item WHERE item.session_plan_id = me.id)\n        );\n        RETURN NULL;\n        ", hash='c782c33e38a44f32dea5fe15bbfe67b45c9ef6bd', operation='INSERT OR DELETE', pgid='pgtrigger_list_logged_b98cd', table='studies_sessionplan', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='sessionplan',
            trigger=pgtrigger.compiler.Trigger(name='aids_logged', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', declare='DECLARE me "studies_sessionplan"%ROWTYPE;', func="\n        IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - ARRAY[]::text[] = to_jsonb(NEW) - ARRAY[]::text[] THEN\n            RETURN NULL;\n        END IF;\n        me := COALESCE(NEW, OLD);\n        PERFORM record_note(\n            'studies_displayedaid', me.id::text, TG_OP, (SELECT study.code FROM studies_study study WHERE study.id = me.study_id), jsonb_build_object('count', (SELECT count(*) FROM studies_displayedaid item WHERE item.session_plan_id = me.id)), (SELECT COALESCE(jsonb_agg(record_canonical(item) ORDER BY item.id), '[]') FROM studies_displayedaid item WHERE item.session_plan_id = me.id)\n        );\n        RETURN NULL;\n        ", hash='cfff8293834884fdb6e6d22c4efa03d6f5245af8', operation='INSERT OR DELETE', pgid='pgtrigger_aids_logged_2ff8b', table='studies_sessionplan', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='enrollment',
            constraint=models.UniqueConstraint(fields=('study', 'reader'), name='reader_enrolled_once'),
        ),
        migrations.AddConstraint(
            model_name='enrollment',
            constraint=models.UniqueConstraint(fields=('study', 'code'), name='reader_code_once'),
        ),
        migrations.AddConstraint(
            model_name='enrollment',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('withdrawal_cause', ''), ('withdrawal_reason', ''), ('withdrawn_at', None), ('withdrawn_by__isnull', True)), models.Q(('withdrawal_cause__in', ['study_team', 'consent']), ('withdrawn_at__isnull', False)), _connector='OR'), name='enrollment_withdrawal_agrees'),
        ),
        migrations.AddConstraint(
            model_name='enrollment',
            constraint=models.CheckConstraint(condition=models.Q(('withdrawn_at', None), ('paused_at', None), _connector='OR'), name='enrollment_paused_or_withdrawn'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='enrollment',
            trigger=pgtrigger.compiler.Trigger(name='enrollment_locked', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."code" IS DISTINCT FROM (NEW."code") OR OLD."enrolled_at" IS DISTINCT FROM (NEW."enrolled_at") OR OLD."reader_id" IS DISTINCT FROM (NEW."reader_id") OR OLD."replaces_id" IS DISTINCT FROM (NEW."replaces_id") OR OLD."study_id" IS DISTINCT FROM (NEW."study_id"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='30093f77743f2d9ca3ba182f8802d52d9b669b69', operation='UPDATE', pgid='pgtrigger_enrollment_locked_ae6d4', table='studies_enrollment', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='enrollment',
            trigger=pgtrigger.compiler.Trigger(name='enrollment_reason_once', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NOT (OLD."override_reason" = \'\') AND OLD."override_reason" IS DISTINCT FROM (NEW."override_reason"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='06b9b3ee0712ba3762b4fa8dcc64e82bd354ebd1', operation='UPDATE', pgid='pgtrigger_enrollment_reason_once_f9c52', table='studies_enrollment', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='enrollment',
            trigger=pgtrigger.compiler.Trigger(name='enrollment_withdrawn_once', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."withdrawn_at" IS NOT NULL AND (OLD."paused_at" IS DISTINCT FROM (NEW."paused_at") OR OLD."resumed_at" IS DISTINCT FROM (NEW."resumed_at") OR OLD."withdrawn_at" IS DISTINCT FROM (NEW."withdrawn_at") OR OLD."withdrawal_cause" IS DISTINCT FROM (NEW."withdrawal_cause") OR OLD."withdrawal_reason" IS DISTINCT FROM (NEW."withdrawal_reason") OR OLD."withdrawn_by_id" IS DISTINCT FROM (NEW."withdrawn_by_id")))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='4ccdacf30e330b5ae822bb0306b5ef4ceb19011b', operation='UPDATE', pgid='pgtrigger_enrollment_withdrawn_once_715ff', table='studies_enrollment', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='enrollment',
            trigger=pgtrigger.compiler.Trigger(name='logged', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', declare='DECLARE me "studies_enrollment"%ROWTYPE;', func="\n        IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - ARRAY[]::text[] = to_jsonb(NEW) - ARRAY[]::text[] THEN\n            RETURN NULL;\n        END IF;\n        me := COALESCE(NEW, OLD);\n        PERFORM record_note(\n            'studies_enrollment', me.id::text, TG_OP, (SELECT study.code FROM studies_study study WHERE study.id = me.study_id), record_canonical(me) - ARRAY[]::text[], NULL\n        );\n        RETURN NULL;\n        ", hash='fe501df890eccf5ac2ce818c84b8c026d9a7d45e', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_logged_f6b30', table='studies_enrollment', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='enrollment',
            trigger=pgtrigger.compiler.Trigger(name='not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'Cannot truncate %: it holds evidence.', TG_TABLE_NAME;", hash='889516b726cd353b1eaefcf39783cf97f8eb3ce4', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_not_truncated_f1b71', table='studies_enrollment', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='draw',
            trigger=pgtrigger.compiler.Trigger(name='draw_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='c36a256bc9e0edfd914c94be7163982240e89b0e', operation='UPDATE OR DELETE', pgid='pgtrigger_draw_append_only_bb854', table='studies_draw', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='draw',
            trigger=pgtrigger.compiler.Trigger(name='logged', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', declare='DECLARE me "studies_draw"%ROWTYPE;', func="\n        IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - ARRAY[]::text[] = to_jsonb(NEW) - ARRAY[]::text[] THEN\n            RETURN NULL;\n        END IF;\n        me := COALESCE(NEW, OLD);\n        PERFORM record_note(\n            'studies_draw', me.id::text, TG_OP, (SELECT study.code FROM studies_study study WHERE study.id = me.study_id), record_canonical(me) - ARRAY['seed', 'lists']::text[], record_columns(record_canonical(me), ARRAY['seed', 'lists']::text[])\n        );\n        RETURN NULL;\n        ", hash='75b11f947176a2900e52e80af8a631f0bba5019d', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_logged_de2d2', table='studies_draw', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='draw',
            trigger=pgtrigger.compiler.Trigger(name='not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'Cannot truncate %: it holds evidence.', TG_TABLE_NAME;", hash='5256682900717d470923d4305cc9b74b7dca1ce2', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_not_truncated_392a2', table='studies_draw', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='arm',
            constraint=models.UniqueConstraint(fields=('study', 'name'), name='arm_name_once'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='arm',
            trigger=pgtrigger.compiler.Trigger(name='logged', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', declare='DECLARE me "studies_arm"%ROWTYPE;', func="\n        IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - ARRAY[]::text[] = to_jsonb(NEW) - ARRAY[]::text[] THEN\n            RETURN NULL;\n        END IF;\n        me := COALESCE(NEW, OLD);\n        PERFORM record_note(\n            'studies_arm', me.id::text, TG_OP, (SELECT study.code FROM studies_study study WHERE study.id = me.study_id), record_canonical(me) - ARRAY[]::text[], NULL\n        );\n        RETURN NULL;\n        ", hash='99740aef5bebb485338c38ad4eb8ea5fb5644260', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_logged_0d530', table='studies_arm', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='arm',
            trigger=pgtrigger.compiler.Trigger(name='not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'Cannot truncate %: it holds evidence.', TG_TABLE_NAME;", hash='cb28bc22b52b40968c13085c5e2b447d4d7b2819', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_not_truncated_7be35', table='studies_arm', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='studymember',
            constraint=models.UniqueConstraint(condition=models.Q(('removed_at', None)), fields=('study', 'person'), name='study_member_once'),
        ),
        migrations.AddConstraint(
            model_name='studymember',
            constraint=models.CheckConstraint(condition=models.Q(('role__in', ['coordinator', 'researcher'])), name='study_member_role_known'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='studymember',
            trigger=pgtrigger.compiler.Trigger(name='member_locked', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."added_at" IS DISTINCT FROM (NEW."added_at") OR OLD."added_by_id" IS DISTINCT FROM (NEW."added_by_id") OR OLD."person_id" IS DISTINCT FROM (NEW."person_id") OR OLD."role" IS DISTINCT FROM (NEW."role") OR OLD."study_id" IS DISTINCT FROM (NEW."study_id"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='485453e28a30b11e916e3ddde1bc76bb893cb4fb', operation='UPDATE', pgid='pgtrigger_member_locked_7d5fd', table='studies_studymember', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='studymember',
            trigger=pgtrigger.compiler.Trigger(name='member_removed_once', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."removed_at" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='73ee48dce3aaa56197d90d0c58ebf022f0b4d449', operation='UPDATE', pgid='pgtrigger_member_removed_once_34685', table='studies_studymember', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='studymember',
            trigger=pgtrigger.compiler.Trigger(name='logged', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', declare='DECLARE me "studies_studymember"%ROWTYPE;', func="\n        IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - ARRAY[]::text[] = to_jsonb(NEW) - ARRAY[]::text[] THEN\n            RETURN NULL;\n        END IF;\n        me := COALESCE(NEW, OLD);\n        PERFORM record_note(\n            'studies_studymember', me.id::text, TG_OP, (SELECT study.code FROM studies_study study WHERE study.id = me.study_id), record_canonical(me) - ARRAY[]::text[], NULL\n        );\n        RETURN NULL;\n        ", hash='f714f47d0f1cf0149bfb8dc0ada0f007f9fba492', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_logged_8c7a8', table='studies_studymember', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='studymember',
            trigger=pgtrigger.compiler.Trigger(name='not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'Cannot truncate %: it holds evidence.', TG_TABLE_NAME;", hash='283d03b66e25d52bf70a90bec698da4005a6db3e', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_not_truncated_e9af3', table='studies_studymember', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='unblinding',
            constraint=models.UniqueConstraint(fields=('study', 'number', 'revision'), name='unblinding_revision_once'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='unblinding',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='33f67d5db1fe5333966b02aca20200a049207299', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_7437d', table='studies_unblinding', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='unblinding',
            trigger=pgtrigger.compiler.Trigger(name='not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'Cannot truncate %: it holds evidence.', TG_TABLE_NAME;", hash='3c13d3e536f883a0792bab54a149dc00794671a6', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_not_truncated_4e200', table='studies_unblinding', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='unblinding',
            trigger=pgtrigger.compiler.Trigger(name='logged', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', declare='DECLARE me "studies_unblinding"%ROWTYPE;', func="\n        IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - ARRAY[]::text[] = to_jsonb(NEW) - ARRAY[]::text[] THEN\n            RETURN NULL;\n        END IF;\n        me := COALESCE(NEW, OLD);\n        PERFORM record_note(\n            'studies_unblinding', me.id::text, TG_OP, (SELECT study.code FROM studies_study study WHERE study.id = me.study_id), record_canonical(me) - ARRAY[]::text[], NULL\n        );\n        RETURN NULL;\n        ", hash='17cbbdc8d45f7936b3d33e230c7100beb9562d0f', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_logged_44c2f', table='studies_unblinding', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='unblindingassessment',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='8fda4e4e32c956e1d8ed35d23c54103ebebb2bfd', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_859e9', table='studies_unblindingassessment', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='unblindingassessment',
            trigger=pgtrigger.compiler.Trigger(name='not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'Cannot truncate %: it holds evidence.', TG_TABLE_NAME;", hash='32216823b8ee9c591e2fdd3ff79a04488014077f', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_not_truncated_b1981', table='studies_unblindingassessment', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='unblindingassessment',
            trigger=pgtrigger.compiler.Trigger(name='logged', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', declare='DECLARE me "studies_unblindingassessment"%ROWTYPE;', func="\n        IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - ARRAY[]::text[] = to_jsonb(NEW) - ARRAY[]::text[] THEN\n            RETURN NULL;\n        END IF;\n        me := COALESCE(NEW, OLD);\n        PERFORM record_note(\n            'studies_unblindingassessment', me.id::text, TG_OP, (SELECT study.code FROM studies_study study WHERE study.id = me.study_id), record_canonical(me) - ARRAY[]::text[], NULL\n        );\n        RETURN NULL;\n        ", hash='054ba72df1131960ee438d0ab4daedea2e97d257', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_logged_28fe0', table='studies_unblindingassessment', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='unsealingrequest',
            constraint=models.UniqueConstraint(condition=models.Q(('outcome', '')), fields=('study',), name='unsealing_requested_once'),
        ),
        migrations.AddConstraint(
            model_name='unsealingrequest',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ended_at', None), ('ended_by', None), ('outcome', '')), models.Q(('ended_at__isnull', False), ('ended_by', None), ('outcome', 'expired')), models.Q(('ended_at__isnull', False), ('ended_by__isnull', False), ('outcome', 'withdrawn')), models.Q(('ended_at__lte', models.F('expires_at')), ('ended_by__isnull', False), ('outcome', 'confirmed')), _connector='OR'), name='unsealing_request_outcome_agrees'),
        ),
        migrations.AddConstraint(
            model_name='unsealingrequest',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('outcome', 'confirmed'), _negated=True), models.Q(('ended_by', models.F('by')), _negated=True), _connector='OR'), name='unsealing_confirmed_by_another'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='unsealingrequest',
            trigger=pgtrigger.compiler.Trigger(name='request_kept', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='3dc21b50d294d4bdaee6d178a52b8396ad58a5aa', operation='DELETE', pgid='pgtrigger_request_kept_4d0b8', table='studies_unsealingrequest', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='unsealingrequest',
            trigger=pgtrigger.compiler.Trigger(name='request_locked', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."at" IS DISTINCT FROM (NEW."at") OR OLD."by_id" IS DISTINCT FROM (NEW."by_id") OR OLD."expires_at" IS DISTINCT FROM (NEW."expires_at") OR OLD."reason" IS DISTINCT FROM (NEW."reason") OR OLD."study_id" IS DISTINCT FROM (NEW."study_id"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='ed2c33e21b5da1a120f5ebbbb6e98923ffd92d2a', operation='UPDATE', pgid='pgtrigger_request_locked_09bfe', table='studies_unsealingrequest', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='unsealingrequest',
            trigger=pgtrigger.compiler.Trigger(name='request_ended_once', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NOT (OLD."outcome" = \'\'))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='a41813d4a7312ba328a2fca2d81c8020b9d5bb38', operation='UPDATE', pgid='pgtrigger_request_ended_once_3590e', table='studies_unsealingrequest', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='unsealingrequest',
            trigger=pgtrigger.compiler.Trigger(name='logged', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', declare='DECLARE me "studies_unsealingrequest"%ROWTYPE;', func="\n        IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - ARRAY[]::text[] = to_jsonb(NEW) - ARRAY[]::text[] THEN\n            RETURN NULL;\n        END IF;\n        me := COALESCE(NEW, OLD);\n        PERFORM record_note(\n            'studies_unsealingrequest', me.id::text, TG_OP, (SELECT study.code FROM studies_study study WHERE study.id = me.study_id), record_canonical(me) - ARRAY[]::text[], NULL\n        );\n        RETURN NULL;\n        ", hash='51e8f6fdc63ce84774648fbcf1be65ae5383eba7', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_logged_834c1', table='studies_unsealingrequest', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='unsealingrequest',
            trigger=pgtrigger.compiler.Trigger(name='not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'Cannot truncate %: it holds evidence.', TG_TABLE_NAME;", hash='731c0c5e4c0844f8bf60fddcd33374d941018417', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_not_truncated_b8ba9', table='studies_unsealingrequest', when='BEFORE')),
        ),
    ]
