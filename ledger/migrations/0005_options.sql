-- What a job was asked with beyond its work. An e-mail address stays here: it never reaches the engine or a log.

ALTER TABLE jobs
    ADD COLUMN webhook text,
    ADD COLUMN email text,
    ADD COLUMN debounce_key text;
