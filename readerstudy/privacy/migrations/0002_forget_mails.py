"""The function that empties mails whose period is over. Written by hand, as those of 0001."""

from django.db import migrations

FORGET = """
CREATE FUNCTION privacy_forget_mails(event_ bigint, mails bigint[], links bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM audit_event WHERE id = event_ AND verb = 'retention.applied') THEN
        RAISE EXCEPTION 'Event % records no retention.', event_;
    END IF;
    UPDATE invitations_mail SET address = '', subject = '', body = '', reply_to = '', error = ''
    WHERE id = ANY(mails) AND state NOT IN ('queued', 'sending');
    UPDATE invitations_mail SET link_id = NULL WHERE link_id = ANY(links) AND state NOT IN ('queued', 'sending');
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("privacy", "0001_functions")]
    operations = [
        migrations.RunSQL(FORGET, "DROP FUNCTION privacy_forget_mails(bigint, bigint[], bigint[])")
    ]
