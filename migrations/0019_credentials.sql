-- Credentials: API keys and service accounts, password resets, what is known of where people sign in, and notices to them.

set local errand.scope = 'system';

-- Raised by every new password: a sign-in that was checked against the one before must not begin after the change.
alter table users add column password_generation integer not null default 1;

-- When the person behind a sign-in last proved who they are; refreshing does not.
alter table sign_ins add column authenticated_at timestamptz;
update sign_ins set authenticated_at = created_at;
alter table sign_ins alter column authenticated_at set not null;
-- The client that the tokens are bound to.
alter table sign_ins add column client_id text not null default 'errand' check (length(client_id) between 1 and 100);

-- Whether `submitted_by` is a service account; a column, because jobs are read without asking who submitted them.
alter table jobs add column submitted_by_service boolean not null default false;

-- One-time links to a new password. Only the hash is kept; a used one is gone, and all of its person with it.
create table password_resets (
    hash bytea primary key check (octet_length(hash) = 32),
    user_id uuid not null references users on delete cascade,
    created_at timestamptz not null,
    expires_at timestamptz not null
);

create index password_resets_user on password_resets (user_id);
create index password_resets_expiry on password_resets (expires_at);

-- The kinds of client and the networks that a person has signed in with: what is not here is new.
create table sign_in_traits (
    user_id uuid not null references users on delete cascade,
    kind text not null check (kind in ('client', 'network')),
    value text not null check (length(value) between 1 and 100),
    first_seen_at timestamptz not null,
    last_seen_at timestamptz not null,
    primary key (user_id, kind, value)
);

create index sign_in_traits_age on sign_in_traits (last_seen_at);

-- What a person is told about their own account.
create table notices (
    id uuid primary key default gen_random_uuid(),
    user_id uuid not null references users on delete cascade,
    kind text not null check (kind in ('new_device', 'token_reuse', 'password_changed', 'password_reset')),
    created_at timestamptz not null,
    -- The sign-in that it is about, and where that came from.
    sign_in_id uuid,
    device_name text,
    address text,
    user_agent text
);

create index notices_user on notices (user_id, created_at);
create index notices_age on notices (created_at);

-- Actors that belong to a team and never sign in.
create table service_accounts (
    id uuid primary key,
    team_id uuid not null references teams on delete cascade,
    name text not null check (length(name) between 1 and 100),
    role text not null check (role in ('viewer', 'member', 'admin')),
    created_by uuid not null references users,
    created_at timestamptz not null,
    -- The row stays, for the jobs that it submitted; its name is free again.
    deleted_at timestamptz
);

create unique index service_accounts_name_key on service_accounts (team_id, name) where deleted_at is null;

create table api_keys (
    id uuid primary key,
    hash bytea not null constraint api_keys_hash_key unique check (octet_length(hash) = 32),
    -- The beginning of the secret, by which people tell keys apart.
    hint text not null check (length(hint) <= 20),
    team_id uuid not null references teams on delete cascade,
    -- Who has seen the secret: the key dies with their membership, whoever it acts for.
    issued_by uuid not null references users,
    -- Null: it acts for its issuer.
    service_account_id uuid references service_accounts on delete cascade,
    name text not null check (length(name) between 1 and 100),
    scopes text[] not null check (cardinality(scopes) > 0),
    -- Null: every project of the team.
    project_ids uuid[] check (cardinality(project_ids) > 0),
    created_at timestamptz not null,
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz,
    -- The key that a rotation made of it; this one ends when their overlap does.
    replaced_by uuid references api_keys on delete set null
);

create index api_keys_team on api_keys (team_id, id);
create index api_keys_service_account on api_keys (service_account_id) where service_account_id is not null;
-- When it was over, for the sweep.
create index api_keys_end on api_keys ((least(expires_at, revoked_at))) where num_nonnulls(expires_at, revoked_at) > 0;

-- What a key opens: nothing unless it stands, and its service account, and its issuer still reaches the team. `most` is
-- its role at most, `issuer` the member whose role it never exceeds. Expiry is judged where a key is admitted, by that
-- machine's clock.
create function errand_key(key uuid) returns table (team uuid, issuer uuid, most text, projects uuid[])
language plpgsql stable security definer as $$
begin
    return query
    select k.team_id, k.issued_by, coalesce(s.role, 'owner'), k.project_ids
    from public.api_keys k
    left join public.service_accounts s
        on s.id = k.service_account_id and s.team_id = k.team_id and s.deleted_at is null
    where k.id = errand_key.key and k.revoked_at is null
        and (k.service_account_id is null or s.id is not null)
        and public.errand_reaches('user:' || k.issued_by, k.team_id);
end
$$;

-- The role of a key in its team, or in one project of it; null where it does not reach.
create function errand_key_role(key uuid, team uuid, project uuid) returns text
language plpgsql stable security definer as $$
begin
    return (
        select case when public.errand_rank(k.most) < public.errand_rank(held.role) then k.most else held.role end
        from public.errand_key(key) k
        join public.memberships m on m.user_id = k.issuer and m.team_id = k.team
        left join public.project_roles r
            on r.project_id = errand_key_role.project and r.user_id = m.user_id and r.team_id = m.team_id
        cross join lateral (
            select case when m.role = 'owner' then m.role else coalesce(r.role, m.role) end as role
        ) held
        where k.team = errand_key_role.team and (k.projects is null or errand_key_role.project = any (k.projects))
    );
end
$$;

-- The scope functions know one kind of scope more: `key:<uuid>`. What they say of the others stays as it was. A key that
-- is limited to projects opens them and nothing else of the team.
create or replace function errand_scope_teams(scope text) returns uuid[]
language plpgsql stable security definer as $$
begin
    if scope like 'user:%' then
        return array(
            select m.team_id
            from public.memberships m join public.users u on u.id = m.user_id
            where m.user_id = substr(scope, 6)::uuid and u.disabled_at is null
        );
    elsif scope like 'team:%' then
        return array[substr(scope, 6)::uuid];
    elsif scope like 'key:%' then
        return array(select k.team from public.errand_key(substr(scope, 5)::uuid) k where k.projects is null);
    end if;
    return '{}';
end
$$;

create or replace function errand_reaches(scope text, team uuid) returns boolean
language plpgsql stable security definer as $$
begin
    if scope like 'user:%' then
        return exists (
            select from public.memberships m join public.users u on u.id = m.user_id
            where m.user_id = substr(scope, 6)::uuid and m.team_id = errand_reaches.team and u.disabled_at is null
        );
    elsif scope like 'team:%' then
        return substr(scope, 6)::uuid = errand_reaches.team;
    elsif scope like 'key:%' then
        return exists (
            select from public.errand_key(substr(scope, 5)::uuid) k
            where k.projects is null and k.team = errand_reaches.team
        );
    end if;
    return scope = 'system';
end
$$;

create or replace function errand_role(team uuid) returns text
language plpgsql stable security definer as $$
declare
    scope text := current_setting('errand.scope', true);
begin
    if scope = 'system' then
        return 'owner';
    elsif scope like 'user:%' then
        return (
            select m.role from public.memberships m join public.users u on u.id = m.user_id
            where m.user_id = substr(scope, 6)::uuid and m.team_id = errand_role.team and u.disabled_at is null
        );
    elsif scope like 'team:%' and substr(scope, 6)::uuid = team then
        return 'viewer';
    elsif scope like 'key:%' then
        return public.errand_key_role(substr(scope, 5)::uuid, team, null);
    end if;
    return null;
end
$$;

create or replace function errand_role(team uuid, project uuid) returns text
language plpgsql stable security definer as $$
declare
    scope text := current_setting('errand.scope', true);
begin
    if scope like 'user:%' then
        return (
            select case when m.role = 'owner' then m.role else coalesce(r.role, m.role) end
            from public.memberships m
            join public.users u on u.id = m.user_id
            left join public.project_roles r
                on r.project_id = errand_role.project and r.user_id = m.user_id and r.team_id = m.team_id
            where m.user_id = substr(scope, 6)::uuid and m.team_id = errand_role.team and u.disabled_at is null
        );
    elsif scope like 'key:%' then
        return public.errand_key_role(substr(scope, 5)::uuid, team, project);
    end if;
    return public.errand_role(team);
end
$$;

create or replace function errand_may_submit(scope text, team uuid, project uuid) returns boolean
language plpgsql stable security definer as $$
begin
    if scope like 'user:%' then
        return exists (
            select from public.memberships m
            join public.users u on u.id = m.user_id
            left join public.project_roles r
                on r.project_id = errand_may_submit.project and r.user_id = m.user_id and r.team_id = m.team_id
            where m.user_id = substr(scope, 6)::uuid and m.team_id = errand_may_submit.team and u.disabled_at is null
                and (m.role = 'owner' or coalesce(r.role, m.role) <> 'viewer')
        );
    elsif scope like 'team:%' then
        return substr(scope, 6)::uuid = team;
    elsif scope like 'key:%' then
        return coalesce(public.errand_key_role(substr(scope, 5)::uuid, team, project) <> 'viewer', false);
    end if;
    return scope = 'system';
end
$$;

-- The projects that this transaction's key is limited to, of its own team whatever its list says; none for every other
-- scope.
create function errand_key_projects() returns uuid[]
language plpgsql stable security definer as $$
declare
    scope text := current_setting('errand.scope', true);
begin
    if scope like 'key:%' then
        return array(
            select p.id
            from public.errand_key(substr(scope, 5)::uuid) k
            join public.projects p on p.id = any (k.projects) and p.team_id = k.team
        );
    end if;
    return '{}';
end
$$;

-- Ends the sign-ins of a person, but for one that is kept, and with them their stream tickets.
create function errand_end_sign_ins(person uuid, kept uuid, moment timestamptz) returns setof uuid
language plpgsql as $$
begin
    delete from stream_tickets t where t.user_id = person and t.sign_in_id is distinct from kept;
    return query
    update sign_ins s set revoked_at = moment
    where s.user_id = person and s.id is distinct from kept and s.revoked_at is null and s.expires_at > moment
    returning s.id;
end
$$;

-- Rotates a refresh token as before, for the client that it was given to; the person is told when it was reused.
drop function errand_refresh(bytea, bytea, bytea, timestamptz, interval);
create function errand_refresh(
    presented bytea, successor bytea, sealed bytea, moment timestamptz, grace interval, client text,
    out outcome text, out family uuid, out sealed_answer bytea
) language plpgsql as $$
declare
    signed sign_ins;
    token refresh_tokens;
begin
    outcome := 'refused';
    select t.sign_in_id into family from refresh_tokens t where t.hash = presented;
    if not found then return; end if;
    select s.* into signed from sign_ins s where s.id = family for no key update;
    select t.* into token from refresh_tokens t where t.hash = presented;
    if signed.revoked_at is not null or signed.expires_at <= moment
        or exists (select from users u where u.id = signed.user_id and u.disabled_at is not null) then
        return;
    end if;
    if signed.client_id = client and token.generation = signed.generation then
        insert into refresh_tokens (hash, sign_in_id, generation) values (successor, family, token.generation + 1);
        update refresh_tokens t set first_used_at = moment, sealed_successor = sealed where t.hash = presented;
        update refresh_tokens t set sealed_successor = null
        where t.sign_in_id = family and t.generation = token.generation - 1;
        update sign_ins s set generation = token.generation + 1, last_used_at = moment where s.id = family;
        outcome := 'rotated';
    elsif signed.client_id = client and token.generation = signed.generation - 1
        and moment < token.first_used_at + grace and token.sealed_successor is not null then
        sealed_answer := token.sealed_successor;
        outcome := 'replayed';
    else
        update sign_ins s set revoked_at = moment where s.id = family;
        delete from stream_tickets t where t.sign_in_id = family;
        insert into notices (user_id, kind, created_at, sign_in_id, device_name, address, user_agent)
        values (
            signed.user_id, 'token_reuse', moment, family, signed.device_name, signed.address, signed.user_agent
        );
        outcome := 'reused';
    end if;
end
$$;

-- Puts a new password in the place of the one that was checked, and ends what the old one opened: the other sign-ins
-- and all reset links. No row when another one has come in between; else one for each sign-in, and one without.
create function errand_change_password(
    person uuid, checked_hash text, new_hash text, kept uuid, notice text, from_address text, client text,
    moment timestamptz
) returns table (ended uuid) language plpgsql as $$
begin
    update users u set password_hash = new_hash, password_generation = u.password_generation + 1
    where u.id = person and u.password_hash = checked_hash;
    if not found then return; end if;
    delete from password_resets r where r.user_id = person;
    insert into notices (user_id, kind, created_at, sign_in_id, address, user_agent)
    values (person, notice, moment, kept, from_address, client);
    return query select null::uuid union all select e from errand_end_sign_ins(person, kept, moment) e;
end
$$;

-- The same by a reset link, which is used up. No row when the link does not hold any more.
create function errand_reset_password(
    presented bytea, new_hash text, from_address text, client text, moment timestamptz
) returns table (ended uuid) language plpgsql as $$
declare
    person uuid;
    checked text;
begin
    delete from password_resets r where r.hash = presented and r.expires_at > moment returning r.user_id into person;
    if not found then return; end if;
    select u.password_hash into checked from users u
    where u.id = person and u.disabled_at is null for no key update;
    if not found then return; end if;
    return query
    select * from errand_change_password(
        person, checked, new_hash, null, 'password_reset', from_address, client, moment
    );
end
$$;

-- Makes a key's successor under a new identifier and lets the old one go on until the overlap's end; one row, or none
-- when the old one is not there to be replaced.
create function errand_rotate_key(
    old uuid, key_team uuid, new_id uuid, new_hash bytea, new_hint text, issuer uuid, new_end timestamptz,
    overlap_end timestamptz, moment timestamptz
) returns setof uuid language plpgsql as $$
declare
    before api_keys;
begin
    select k.* into before from api_keys k
    where k.id = old and k.team_id = key_team and k.revoked_at is null and k.replaced_by is null
        and (k.expires_at is null or k.expires_at > moment)
    for no key update;
    if not found then return; end if;
    insert into api_keys (
        id, hash, hint, team_id, issued_by, service_account_id, name, scopes, project_ids, created_at, expires_at
    )
    values (
        new_id, new_hash, new_hint, before.team_id, issuer, before.service_account_id, before.name, before.scopes,
        before.project_ids, moment, new_end
    );
    update api_keys k set replaced_by = new_id, expires_at = least(k.expires_at, overlap_end) where k.id = old;
    return next new_id;
end
$$;

-- Ends a service account and its keys. No row when it is not there; else one for each key, and one without.
create function errand_delete_service_account(account uuid, account_team uuid, moment timestamptz)
returns table (ended uuid) language plpgsql as $$
begin
    update service_accounts s set deleted_at = moment
    where s.id = account and s.team_id = account_team and s.deleted_at is null;
    if not found then return; end if;
    return query select null::uuid;
    return query
    update api_keys k set revoked_at = moment where k.service_account_id = account and k.revoked_at is null
    returning k.id;
end
$$;

-- Forgets what has served its time: a bounded number of each per call.
create function errand_expire_credentials(moment timestamptz, wanted integer) returns void language plpgsql as $$
begin
    delete from password_resets r
    where r.ctid = any (array(
        select o.ctid from password_resets o where o.expires_at < moment
        order by o.expires_at limit wanted for update skip locked
    ));
    delete from notices n
    where n.ctid = any (array(
        select o.ctid from notices o where o.created_at < moment - interval '180 days'
        order by o.created_at limit wanted for update skip locked
    ));
    -- Longer than a year: a client that is used every summer is not new.
    delete from sign_in_traits t
    where t.ctid = any (array(
        select o.ctid from sign_in_traits o where o.last_seen_at < moment - interval '400 days'
        order by o.last_seen_at limit wanted for update skip locked
    ));
    -- Kept for a month after their end, so that people see why something stopped; the audit log knows them for ever.
    delete from api_keys k
    where k.ctid = any (array(
        select o.ctid from api_keys o
        where num_nonnulls(o.expires_at, o.revoked_at) > 0
            and least(o.expires_at, o.revoked_at) < moment - interval '30 days'
        order by least(o.expires_at, o.revoked_at) limit wanted for update skip locked
    ));
end
$$;

revoke execute on function errand_key(uuid), errand_key_role(uuid, uuid, uuid), errand_key_projects() from public;
grant execute on function errand_key(uuid), errand_key_role(uuid, uuid, uuid), errand_key_projects() to errand_app;
revoke execute on function
    errand_refresh(bytea, bytea, bytea, timestamptz, interval, text), errand_end_sign_ins(uuid, uuid, timestamptz),
    errand_change_password(uuid, text, text, uuid, text, text, text, timestamptz),
    errand_reset_password(bytea, text, text, text, timestamptz),
    errand_rotate_key(uuid, uuid, uuid, bytea, text, uuid, timestamptz, timestamptz, timestamptz),
    errand_delete_service_account(uuid, uuid, timestamptz), errand_expire_credentials(timestamptz, integer)
from public;
grant execute on function
    errand_refresh(bytea, bytea, bytea, timestamptz, interval, text), errand_end_sign_ins(uuid, uuid, timestamptz),
    errand_change_password(uuid, text, text, uuid, text, text, text, timestamptz),
    errand_reset_password(bytea, text, text, text, timestamptz),
    errand_rotate_key(uuid, uuid, uuid, bytea, text, uuid, timestamptz, timestamptz, timestamptz),
    errand_delete_service_account(uuid, uuid, timestamptz), errand_expire_credentials(timestamptz, integer)
to errand_app;

alter table password_resets enable row level security, force row level security;
alter table sign_in_traits enable row level security, force row level security;
alter table notices enable row level security, force row level security;
alter table service_accounts enable row level security, force row level security;
alter table api_keys enable row level security, force row level security;

create policy system_scope on password_resets to errand_app, errand_owner
    using ((select current_setting('errand.scope', true)) = 'system');
create policy system_scope on sign_in_traits to errand_app, errand_owner
    using ((select current_setting('errand.scope', true)) = 'system');
create policy system_scope on notices to errand_app, errand_owner
    using ((select current_setting('errand.scope', true)) = 'system');

create policy system_scope on service_accounts to errand_app, errand_owner
    using ((select current_setting('errand.scope', true)) = 'system');
create policy scope_functions on service_accounts for select to errand_owner using (true);
create policy system_scope on api_keys to errand_app, errand_owner
    using ((select current_setting('errand.scope', true)) = 'system');
create policy scope_functions on api_keys for select to errand_owner using (true);

-- People see and make keys; a key does neither, whatever the layers above believe.
create policy peoples_teams on service_accounts to errand_app
    using (
        (select current_setting('errand.scope', true)) like 'user:%' and team_id = any ((select errand_teams())::uuid[])
    );
create policy peoples_teams on api_keys to errand_app
    using (
        (select current_setting('errand.scope', true)) like 'user:%' and team_id = any ((select errand_teams())::uuid[])
    );

create policy key_projects on projects for select to errand_app
    using (id = any ((select errand_key_projects())::uuid[]));
create policy key_projects on jobs for select to errand_app
    using (project_id = any ((select errand_key_projects())::uuid[]));

grant select, insert, update, delete on password_resets, sign_in_traits, notices to errand_app;
grant select, insert, update on service_accounts to errand_app;
grant select, insert, update, delete on api_keys to errand_app;
