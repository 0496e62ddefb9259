"""The functions that erase personal data from tables which refuse changes. Written by hand.

They run as the owner of the tables, with a setting by which `_pgtrigger_should_ignore` lets the protections pass
(`readerstudy.configuration.database_roles`). The triggers that write the record are never passed. Decision 52 has the reasons.
"""

from django.db import migrations

# Letters, digits and blanks as they are; everything else with a backslash.
ESCAPE = r"""
CREATE FUNCTION privacy_escape(name text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT regexp_replace(regexp_replace(name, '([^\w\s])', '\\\1', 'g'), '\s+', '\\s+', 'g')
$$;
"""
# What names the person: mail address, full name either way round, user name, and on request the last name alone.
# Short user names and those of a role are words that may stand for something else. Both as text and as in JSON.
PATTERN = r"""
CREATE FUNCTION privacy_pattern(person_ bigint, with_last_name boolean) RETURNS text LANGUAGE sql STABLE AS $$
    WITH me AS (SELECT * FROM accounts_user WHERE id = person_),
    names AS (
        SELECT email AS name FROM me UNION SELECT lower(email) FROM me
        UNION SELECT first_name || ' ' || last_name FROM me WHERE first_name <> '' AND last_name <> ''
        UNION SELECT last_name || ', ' || first_name FROM me WHERE first_name <> '' AND last_name <> ''
        UNION SELECT first_name || last_name FROM me WHERE first_name = '' OR last_name = ''
        UNION SELECT last_name FROM me WHERE with_last_name
        UNION SELECT username FROM me
        WHERE lower(username) NOT IN ('reader', 'coordinator', 'researcher', 'admin', 'administrator')
    ),
    spelled AS (
        SELECT name FROM names UNION SELECT trim(both '"' from to_json(name)::text) FROM names
    )
    SELECT '(?<!\w)(?:' || string_agg(privacy_escape(name), '|' ORDER BY length(name) DESC, name) || ')(?!\w)'
    FROM spelled WHERE length(name) >= 4
$$;
"""
# Texts in which people are named. What stands in the documents of a study (plan, consent text, instructions) and in
# answers to its questions is not among them.
TEXTS = r"""
CREATE FUNCTION privacy_texts() RETURNS TABLE (relation text, col text) LANGUAGE sql IMMUTABLE AS $$
    VALUES ('audit_event', 'data'),
        ('studies_enrollment', 'override_reason'), ('studies_enrollment', 'withdrawal_reason'),
        ('studies_analysisexclusion', 'reason'), ('studies_draw', 'reason'),
        ('studies_unblinding', 'persons'), ('studies_unblinding', 'learnt'), ('studies_unblinding', 'how'),
        ('studies_unblindingassessment', 'text'), ('studies_unsealingrequest', 'reason'),
        ('participation_message', 'text'), ('participation_comment', 'text'),
        ('participation_readerprofile', 'specialty'), ('reading_imageproblem', 'text'),
        ('truth_exclusion', 'reason'), ('truth_unsealing', 'reason'), ('analysis_reportversion', 'reason'),
        ('invitations_mail', 'subject'), ('invitations_mail', 'body'), ('invitations_mail', 'reply_to'),
        ('invitations_mail', 'address'), ('invitations_mail', 'error'),
        ('django_admin_log', 'object_repr'), ('django_admin_log', 'change_message')
$$;
"""
# Marks entries as erased: the texts go, the hashes stay.
NOTE = r"""
CREATE FUNCTION privacy_note(event_ bigint, part_ text, ids bigint[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    erased bigint;
BEGIN
    INSERT INTO record_redaction (log, at, event, part, entries)
    SELECT log, now(), event_, part_, jsonb_agg(index ORDER BY index) FROM record_entry
    WHERE id = ANY(ids) GROUP BY log;
    UPDATE record_entry SET sealed = '', data = CASE part_ WHEN 'all' THEN '' ELSE data END WHERE id = ANY(ids);
    GET DIAGNOSTICS erased = ROW_COUNT;
    RETURN erased;
END $$;
"""
FORGET = r"""
CREATE FUNCTION privacy_forget_addresses(event_ bigint, events bigint[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    ids bigint[];
BEGIN
    IF NOT EXISTS (SELECT 1 FROM audit_event WHERE id = event_ AND verb IN ('account.erased', 'retention.applied')) THEN
        RAISE EXCEPTION 'Event % records no erasure.', event_;
    END IF;
    SELECT array_agg(entry.id) INTO ids FROM record_entry entry
    WHERE entry.relation = 'audit_event' AND entry.row_id IN (SELECT unnest(events)::text) AND entry.sealed <> '';
    UPDATE audit_event SET address = NULL WHERE id = ANY(events);
    RETURN privacy_note(event_, 'sealed', COALESCE(ids, '{}'));
END $$;
"""
ERASE = r"""
CREATE FUNCTION privacy_erase(person_ bigint, event_ bigint, pseudonym_ text, with_last_name boolean) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    pattern text := privacy_pattern(person_, with_last_name);
    username_ text := (SELECT username FROM accounts_user WHERE id = person_);
    named text;
    part record;
    changed bigint;
    events bigint[];
    ids bigint[];
    counts jsonb := '{}';
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM audit_event
        WHERE id = event_ AND verb = 'account.erased' AND subject = 'accounts.user:' || person_
    ) THEN
        RAISE EXCEPTION 'Event % does not record the erasure of person %.', event_, person_;
    END IF;
    -- the addresses of events by the person, and of what was tried with the account
    SELECT array_agg(id) INTO events FROM audit_event
    WHERE address IS NOT NULL
        AND (actor_id = person_ OR actor_id IS NULL AND subject = 'accounts.user:' || person_);
    counts := counts || jsonb_build_object(
        'addresses', COALESCE(cardinality(events), 0),
        'sealed', privacy_forget_addresses(event_, COALESCE(events, '{}'))
    );
    -- mails to the person
    UPDATE invitations_mail SET address = '', subject = '', body = '', reply_to = '', error = '', due_at = NULL,
        state = CASE WHEN state IN ('queued', 'sending') THEN 'failed' ELSE state END
    WHERE person_id = person_;
    GET DIAGNOSTICS changed = ROW_COUNT;
    counts := counts || jsonb_build_object('mails', changed);
    -- user names that earlier versions wrote into events, however short
    named := '"(?:person|requested_by)": ?' || privacy_escape(to_json(username_)::text);
    SELECT array_agg(id) INTO ids FROM record_entry
    WHERE relation IN (SELECT relation FROM privacy_texts()) AND (data ~ named OR data ~ pattern);
    UPDATE audit_event SET data = jsonb_set(data, '{person}', to_jsonb(pseudonym_)) WHERE data ->> 'person' = username_;
    UPDATE audit_event SET data = jsonb_set(data, '{requested_by}', to_jsonb(pseudonym_))
    WHERE data ->> 'requested_by' = username_;
    -- texts that name the person
    changed := 0;
    IF pattern IS NOT NULL THEN
        FOR part IN
            SELECT texts.relation, texts.col, found.data_type, found.character_maximum_length AS longest
            FROM privacy_texts() texts JOIN information_schema.columns found
            ON found.table_schema = 'public' AND found.table_name = texts.relation AND found.column_name = texts.col
        LOOP
            EXECUTE format(
                'WITH done AS (UPDATE %I SET %I = left(regexp_replace(%I::text, $1, $2, ''g''), %s)::%s '
                'WHERE %I::text ~ $1 RETURNING 1) SELECT count(*) + $3 FROM done',
                part.relation, part.col, part.col, COALESCE(part.longest, 1000000000), part.data_type, part.col
            ) INTO changed USING pattern, pseudonym_, changed;
        END LOOP;
    END IF;
    RETURN counts || jsonb_build_object(
        'texts', changed, 'entries', privacy_note(event_, 'all', COALESCE(ids, '{}'))
    );
END $$;
"""
UNDO = """
DROP FUNCTION privacy_erase(bigint, bigint, text, boolean);
DROP FUNCTION privacy_forget_addresses(bigint, bigint[]);
DROP FUNCTION privacy_note(bigint, text, bigint[]);
DROP FUNCTION privacy_texts();
DROP FUNCTION privacy_pattern(bigint, boolean);
DROP FUNCTION privacy_escape(text);
"""


class Migration(migrations.Migration):
    initial = True
    dependencies = [
        ("accounts", "0003_user_erased_at"),
        ("record", "0003_redaction"),
        ("invitations", "0002_notices"),
        ("analysis", "0001_initial"),
        ("truth", "0001_initial"),
    ]
    operations = [migrations.RunSQL(ESCAPE + PATTERN + TEXTS + NOTE + FORGET + ERASE, UNDO)]
