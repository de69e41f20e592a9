-- Worker machines. The lease belongs to the worker: a running job names the worker and its epoch and has none itself.

create table workers (
    id uuid primary key,
    name text not null constraint workers_name_key unique,
    epoch bigint not null default 0,
    lease_until timestamptz,
    slots integer not null default 0 check (slots >= 0),
    -- A one-time token; gone once it is exchanged for the credential.
    enrolment_hash bytea constraint workers_enrolment_key unique,
    enrolment_expires_at timestamptz,
    credential_hash bytea constraint workers_credential_key unique,
    revoked_at timestamptz,
    created_at timestamptz not null default now()
)
-- A beat every few seconds rewrites the row: room on the page keeps that out of the indexes.
with (fillfactor = 50);

alter table workers enable row level security, force row level security;

create policy system_scope on workers to errand_app, errand_owner
    using ((select current_setting('errand.scope', true)) = 'system');

grant select, insert, update on workers to errand_app;
