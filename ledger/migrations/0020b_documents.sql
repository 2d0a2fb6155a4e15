-- Documents of owners, the chunks by which they are found, and what tells chunks of the same meaning.

CREATE TABLE documents (
    key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner text NOT NULL,
    id text NOT NULL CHECK (id <> ''),
    filename text NOT NULL,
    -- as told until it is read, then as found
    file_type text,
    size bigint NOT NULL CHECK (size >= 0),
    content_hash text NOT NULL,
    -- of what is found by search; while a job works on it that is still as it was
    status text NOT NULL DEFAULT 'uploaded' CHECK (status IN ('uploaded', 'indexed', 'failed')),
    processed_by uuid,
    error jsonb,
    notes jsonb NOT NULL DEFAULT '[]',
    title text,
    pages integer NOT NULL DEFAULT 0,
    chunk_count integer NOT NULL DEFAULT 0,
    word_count bigint NOT NULL DEFAULT 0,
    chunk_size integer,
    overlap integer,
    project_id text,
    tags text[] NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (owner, id),
    CHECK (overlap >= 0 AND overlap < chunk_size)
);

CREATE INDEX documents_by_id ON documents (id);

CREATE TABLE chunks (
    document bigint NOT NULL REFERENCES documents ON DELETE CASCADE,
    position integer NOT NULL CHECK (position > 0),
    id text NOT NULL,
    starts integer NOT NULL CHECK (starts >= 0),
    ends integer NOT NULL CHECK (ends >= starts),
    page integer,
    heading_path text[] NOT NULL,
    table_header text,
    text text NOT NULL,
    -- of what is embedded: the text with its headings
    digest text NOT NULL,
    words tsvector NOT NULL,
    word_count integer NOT NULL,
    PRIMARY KEY (document, position)
);
CREATE INDEX chunks_words ON chunks USING gin (words);

-- Where the extension can be had, embeddings are kept; answers the schema it lives in, or NULL. Repeatable, so that an
-- extension that comes later is found.
CREATE FUNCTION enable_vectors() RETURNS text LANGUAGE plpgsql AS $$
DECLARE place text;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector') THEN
        RETURN NULL;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'vector') THEN
        -- beside our schema, for others of this database use it too
        CREATE EXTENSION vector SCHEMA public;
    END IF;
    SELECT n.nspname INTO place FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname = 'vector';
    IF to_regclass('chunk_vectors') IS NULL THEN
        EXECUTE format('CREATE TABLE chunk_vectors (
            document bigint NOT NULL REFERENCES documents ON DELETE CASCADE,
            model text NOT NULL,
            digest text NOT NULL,
            vector %I.vector NOT NULL,
            PRIMARY KEY (document, model, digest)
        )', place);
    END IF;
    RETURN place;
EXCEPTION WHEN OTHERS THEN
    -- servers that others run forbid it in many ways; words alone answer then
    RAISE WARNING 'pgvector cannot be used: %', SQLERRM;
    RETURN NULL;
END $$;
SELECT enable_vectors();
