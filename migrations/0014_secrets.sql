-- Secrets at rest: sealed by the servers before they come here, under keys of their own that master keys wrap. The master
-- keys are in a file that only the API can read; here are their names, so that none is forgotten while a secret needs it.

create table master_keys (
    -- A fingerprint of the key.
    id bytea primary key check (octet_length(id) = 8),
    registered_at timestamptz not null default now()
);

create table secrets (
    -- table/row/column of the noun that has the secret. It is authenticated with the secret: moved, it does not open.
    place text primary key check (place ~ '^[a-z0-9_]+/[a-z0-9_]+/[a-z0-9_]+$' and length(place) <= 200),
    -- Whose it is, when it goes with its owner.
    team_id uuid references teams on delete cascade,
    user_id uuid references users on delete cascade,
    -- Version 1, the master key's name, the wrapped key, the ciphertext: see SealedSecret. At most 64 KiB in the clear.
    sealed bytea not null check (octet_length(sealed) between 97 and 65633 and get_byte(sealed, 0) = 1),
    -- Read from the secret itself, so that it cannot say otherwise. A key that is in use cannot be forgotten, and one
    -- that was forgotten cannot be used by a server that has not noticed.
    master_key bytea not null generated always as (substr(sealed, 2, 8)) stored
        constraint secrets_master_key_known references master_keys,
    check (team_id is null or user_id is null)
);

create index secrets_master_key on secrets (master_key, place);
create index secrets_team on secrets (team_id) where team_id is not null;
create index secrets_user on secrets (user_id) where user_id is not null;

-- It does not compress.
alter table secrets alter column sealed set storage external;

-- Registers the newest key of a server's file, and answers with the keys that the file lacks. A server that lacks one was
-- started with another file: it registers nothing.
create function errand_register_master_key(newest bytea, ring bytea[]) returns setof bytea language plpgsql as $$
begin
    -- Two servers that start on an empty database, each with a file of its own, come one after the other.
    perform pg_advisory_xact_lock(7093301513);
    return query select k.id from master_keys k where k.id <> all (ring) order by k.id;
    if not found then
        insert into master_keys (id) values (newest) on conflict (id) do nothing;
    end if;
end
$$;

-- Model keys: one per person, one per team. What may be shown is here, the key itself is a secret.
create table model_keys (
    secret text primary key references secrets on delete cascade,
    team_id uuid constraint model_keys_team_key unique references teams on delete cascade,
    user_id uuid constraint model_keys_user_key unique references users on delete cascade,
    provider text not null check (provider in ('anthropic', 'compatible')),
    base_url text check (length(base_url) <= 2048),
    last_four text check (length(last_four) = 4),
    set_by uuid not null,
    set_at timestamptz not null,
    verified_at timestamptz,
    check (num_nonnulls(team_id, user_id) = 1)
);

-- Whose key the latest attempt was granted; never the key.
alter table jobs add column model_key text check (model_key in ('user', 'team', 'installation', 'stand_in'));

-- The model keys for jobs that were just claimed: the submitter's own, else the team's, else what the caller names as its
-- own kind (null when it has none). Which it was is written to the job. A job that is not returned has no key.
create function errand_grant_models(jobs_in uuid[], fallbacks text[])
returns table (job uuid, kind text, provider text, base_url text, place text, sealed bytea)
language plpgsql as $$
begin
    perform from jobs j where j.id = any (jobs_in) order by j.id for no key update;
    return query
    with chosen as materialized (
        select a.job_id, coalesce(k.kind, a.fallback) as kind, k.provider, k.base_url, k.secret
        from unnest(jobs_in, fallbacks) as a (job_id, fallback)
        join jobs j on j.id = a.job_id
        left join lateral (
            select case when m.user_id is null then 'team' else 'user' end as kind, m.provider, m.base_url, m.secret
            from model_keys m
            where m.team_id = j.team_id
                or m.user_id = (select u.id from users u where u.id = j.submitted_by and u.disabled_at is null)
            order by m.user_id is null
            limit 1
        ) k on true
    ),
    noted as (
        update jobs j set model_key = c.kind from chosen c
        where j.id = c.job_id and j.model_key is distinct from c.kind
    )
    select c.job_id, c.kind, c.provider, c.base_url, c.secret, s.sealed
    from chosen c left join secrets s on s.place = c.secret
    where c.kind is not null;
end
$$;

-- The person of this transaction; null in every other scope.
create function errand_own_user() returns uuid language sql stable as $$
    select case when scope like 'user:%' then substr(scope, 6)::uuid end
    from current_setting('errand.scope', true) scope
$$;

revoke execute on function
    errand_register_master_key(bytea, bytea[]), errand_grant_models(uuid[], text[]), errand_own_user()
from public;
grant execute on function
    errand_register_master_key(bytea, bytea[]), errand_grant_models(uuid[], text[]), errand_own_user()
to errand_app;

alter table master_keys enable row level security, force row level security;
alter table secrets enable row level security, force row level security;
alter table model_keys enable row level security, force row level security;

create policy system_scope on master_keys to errand_app, errand_owner
    using ((select current_setting('errand.scope', true)) = 'system');
create policy system_scope on secrets to errand_app, errand_owner
    using ((select current_setting('errand.scope', true)) = 'system');
create policy system_scope on model_keys to errand_app, errand_owner
    using ((select current_setting('errand.scope', true)) = 'system');
-- A team's members may know that it has a key; its administrators alone change it, and nobody else reads even the
-- ciphertext. The names sort behind `system_scope`: the servers' own statements never get as far as the function.
create policy team_administers on secrets to errand_app
    using (errand_role(team_id) in ('admin', 'owner'));
create policy team_administers on model_keys to errand_app
    using (errand_role(team_id) in ('admin', 'owner'));
create policy team_looks on model_keys for select to errand_app
    using (team_id = any ((select errand_teams())::uuid[]));
create policy own_rows on secrets to errand_app
    using (user_id = (select errand_own_user()));
create policy own_rows on model_keys to errand_app
    using (user_id = (select errand_own_user()));

grant select, insert, delete on master_keys to errand_app;
grant select, insert, update, delete on secrets, model_keys to errand_app;
