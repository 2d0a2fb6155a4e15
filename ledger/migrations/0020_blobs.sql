-- Files that users gave: the bytes once, however many have them; gone with the last who does.

CREATE TABLE blobs (
    hash text PRIMARY KEY CHECK (hash ~ '^[0-9a-f]{64}$'),
    size bigint NOT NULL CHECK (size >= 0),
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE blob_pieces (
    hash text NOT NULL REFERENCES blobs ON DELETE CASCADE,
    position integer NOT NULL CHECK (position >= 0),
    data bytea NOT NULL,
    PRIMARY KEY (hash, position)
);
-- most files are compressed already, and the rest is cut out of its table faster than unpacked
ALTER TABLE blob_pieces ALTER COLUMN data SET STORAGE EXTERNAL;

-- Who has a file, and under which name of theirs.
CREATE TABLE blob_uses (
    owner text NOT NULL,
    name text NOT NULL,
    hash text NOT NULL REFERENCES blobs,
    PRIMARY KEY (owner, name)
);
CREATE INDEX blob_uses_by_hash ON blob_uses (hash);

CREATE FUNCTION drop_unused_blobs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- two statements: what the lock waited for is seen by the second alone
    PERFORM FROM blobs WHERE hash IN (SELECT hash FROM gone) ORDER BY hash FOR UPDATE;
    DELETE FROM blobs b WHERE b.hash IN (SELECT hash FROM gone)
        AND NOT EXISTS (SELECT FROM blob_uses u WHERE u.hash = b.hash);
    RETURN NULL;
END $$;
CREATE TRIGGER blob_uses_deleted AFTER DELETE ON blob_uses REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION drop_unused_blobs();
CREATE TRIGGER blob_uses_updated AFTER UPDATE ON blob_uses REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION drop_unused_blobs();
