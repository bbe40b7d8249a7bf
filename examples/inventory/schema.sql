-- The inventory's tables, and views for the questions that people ask. All of it may run again at any time.

-- One row for each request of a CA.
CREATE TABLE IF NOT EXISTS request (
  source text NOT NULL,                 -- the CA
  request_id bigint NOT NULL,
  state text NOT NULL CHECK (state IN ('pending', 'issued', 'denied', 'failed')),
  requester text,
  message text,                         -- what the CA says about the decision
  status_code text,
  submitted_at timestamptz,
  certificate_sha256 text,              -- joins certificate.sha256
  sequence text NOT NULL,               -- of the newest event that is in this row
  PRIMARY KEY (source, request_id)
);

-- One row for each certificate. Its hash is the key: a CA that is renewed with a new key has another source.
CREATE TABLE IF NOT EXISTS certificate (
  sha256 text PRIMARY KEY,
  source text NOT NULL,
  serial_number text,
  state text NOT NULL CHECK (state IN ('valid', 'on hold', 'revoked')),
  is_imported boolean NOT NULL DEFAULT false,
  subject text,
  issuer text,
  dns_names text[] NOT NULL,
  upns text[] NOT NULL,
  template text,                        -- name of a version 1 template, OID of a later one
  requester text,
  not_before timestamptz,
  not_after timestamptz,
  revocation_reason text,
  revoked_at timestamptz,
  sequence text NOT NULL                -- of the newest event that is in this row
);
CREATE INDEX IF NOT EXISTS certificate_not_after ON certificate (not_after);
CREATE INDEX IF NOT EXISTS certificate_serial_number ON certificate (serial_number);

-- The newest base and delta CRL of each key of a CA.
CREATE TABLE IF NOT EXISTS crl (
  authority text NOT NULL,              -- key identifier of the CA; its name if the CRL has none
  kind text NOT NULL CHECK (kind IN ('base', 'delta')),
  source text NOT NULL,
  issuer text,
  number numeric,
  this_update timestamptz,
  next_update timestamptz,
  next_publish timestamptz,
  entries integer,
  sequence text NOT NULL,
  PRIMARY KEY (authority, kind)
);

-- What was lost before it reached the broker. Rows of these places may be missing or old.
CREATE TABLE IF NOT EXISTS gap (
  source text NOT NULL,
  event_id text NOT NULL,
  reason text NOT NULL,
  lost numeric,                         -- NULL: nobody knows how many
  first_time timestamptz,
  last_time timestamptz,
  request_ids bigint[] NOT NULL,        -- up to 64
  PRIMARY KEY (source, event_id)
);

-- Every event once, in the order in which it was handled.
CREATE TABLE IF NOT EXISTS history (
  n bigserial PRIMARY KEY,
  source text NOT NULL,
  event_id text NOT NULL,
  type text NOT NULL,
  subject text,
  happened_at timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS history_subject ON history (subject);

-- Valid certificates that end within 30 days. One that the same requester has renewed is marked.
CREATE OR REPLACE VIEW expiring_soon AS
  SELECT c.subject, c.serial_number, c.template, c.requester, c.not_after,
         c.not_after - now() AS ends_in,
         EXISTS (
           SELECT FROM certificate newer
           WHERE newer.requester = c.requester AND newer.subject = c.subject
             AND newer.template IS NOT DISTINCT FROM c.template AND newer.state = 'valid' AND newer.not_after > c.not_after
         ) AS is_renewed
  FROM certificate c
  WHERE c.state = 'valid' AND c.not_after BETWEEN now() AND now() + interval '30 days'
  ORDER BY c.not_after;

-- CRLs that clients refuse by now, and CRLs whose successor is late.
CREATE OR REPLACE VIEW crl_overdue AS
  SELECT issuer, kind, number, next_publish, next_update,
         CASE WHEN next_update < now() THEN 'expired' ELSE 'late' END AS state,
         now() - LEAST(next_publish, next_update) AS overdue_for
  FROM crl
  WHERE next_update < now() OR next_publish < now();

-- Requests that wait for a CA manager, the oldest first.
CREATE OR REPLACE VIEW waiting_request AS
  SELECT source, request_id, requester, submitted_at, now() - submitted_at AS waits_for
  FROM request
  WHERE state = 'pending'
  ORDER BY submitted_at;
