from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_user_erased_at'),
    ]

    operations = [
        migrations.AddField(
            model_name='user',
            name='reading_keys',
            field=models.JSONField(blank=True, default=dict, editable=False, verbose_name='keys of the reading room'),
        ),
    ]
