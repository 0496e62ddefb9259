"""The functions that append to the logs. Written by hand; `readerstudy.record.triggers` calls them."""

from django.db import migrations

# Texts of times and numbers must not depend on the settings of a connection.
CANONICAL = """
CREATE FUNCTION record_canonical(me anyelement) RETURNS jsonb LANGUAGE plpgsql STABLE
SET timezone = 'UTC' SET extra_float_digits = 1 AS $$
BEGIN
    RETURN to_jsonb(me);
END $$;
"""
COLUMNS = """
CREATE FUNCTION record_columns(content jsonb, names text[]) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_object_agg(key, value) FROM jsonb_each(content) WHERE key = ANY(names)
$$;
"""
# Emptied by the transaction that filled it. Unlogged: nothing in it outlives a commit.
WAITING = """
CREATE UNLOGGED TABLE record_waiting (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    log text NOT NULL, relation text NOT NULL, row_id text NOT NULL, data text NOT NULL, sealed text NOT NULL
);
"""
# A row whose study cannot be found any more belongs to the log of its earlier entries. The salt keeps an entry from
# being guessed by its hash, which is in the proofs of its neighbours.
NOTE = """
CREATE FUNCTION record_note(relation_ text, row_ text, op text, log_ text, content jsonb, hidden jsonb) RETURNS void
LANGUAGE plpgsql SET timezone = 'UTC' AS $$
DECLARE
    entry jsonb;
    secret text := '';
BEGIN
    IF log_ IS NULL THEN
        SELECT earlier.log INTO log_ FROM record_entry earlier
        WHERE earlier.relation = relation_ AND earlier.row_id = row_ ORDER BY earlier.id DESC LIMIT 1;
    END IF;
    entry := jsonb_build_object(
        'table', relation_, 'row', row_, 'op', lower(op), 'logged', now(), 'salt', gen_random_uuid()
    );
    IF op <> 'DELETE' THEN
        entry := entry || jsonb_build_object('content', content);
        IF hidden IS NOT NULL THEN
            secret := jsonb_build_object('salt', gen_random_uuid(), 'content', hidden)::text;
            entry := entry || jsonb_build_object('sealed', encode(sha256(convert_to(secret, 'UTF8')), 'hex'));
        END IF;
    END IF;
    INSERT INTO record_waiting (log, relation, row_id, data, sealed)
    VALUES (COALESCE(log_, ''), relation_, row_, entry::text, secret);
END $$;
"""
# Runs after all other deferred triggers of the transaction, because those filled the table: the lock of a log is the
# last that a transaction takes, and several logs are locked in the order of their names. So there are no deadlocks.
APPEND = r"""
CREATE FUNCTION record_append() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    name text;
    item record;
    head record_log%ROWTYPE;
    leaf bytea;
    node bytea;
    rest bigint;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM record_waiting WHERE number = NEW.number) THEN
        RETURN NULL;  -- appended with an earlier one
    END IF;
    FOR name IN SELECT DISTINCT log FROM record_waiting ORDER BY log LOOP
        INSERT INTO record_log (code, size, peaks) VALUES (name, 0, '') ON CONFLICT DO NOTHING;
        SELECT * INTO head FROM record_log WHERE code = name FOR UPDATE;
        FOR item IN SELECT * FROM record_waiting WHERE log = name ORDER BY number LOOP
            leaf := sha256('\x00'::bytea || convert_to(item.data, 'UTF8'));
            INSERT INTO record_entry (log, index, relation, row_id, data, sealed, hash)
            VALUES (name, head.size, item.relation, item.row_id, item.data, item.sealed, leaf);
            node := leaf;
            rest := head.size;
            WHILE rest % 2 = 1 LOOP
                node := sha256('\x01'::bytea || substr(head.peaks, length(head.peaks) - 31) || node);
                head.peaks := substr(head.peaks, 1, length(head.peaks) - 32);
                rest := rest / 2;
            END LOOP;
            head.peaks := head.peaks || node;
            head.size := head.size + 1;
        END LOOP;
        UPDATE record_log SET size = head.size, peaks = head.peaks WHERE code = name;
    END LOOP;
    DELETE FROM record_waiting;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER record_append AFTER INSERT ON record_waiting DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION record_append();
"""
UNDO = """
DROP TABLE record_waiting;
DROP FUNCTION record_append();
DROP FUNCTION record_note(text, text, text, text, jsonb, jsonb);
DROP FUNCTION record_columns(jsonb, text[]);
DROP FUNCTION record_canonical(anyelement);
"""


class Migration(migrations.Migration):
    dependencies = [("record", "0001_initial")]
    operations = [migrations.RunSQL(CANONICAL + COLUMNS + WAITING + NOTE + APPEND, UNDO)]
