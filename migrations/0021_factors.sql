-- Second factors: one-time codes, recovery codes and passkeys, and the teams that demand one.

alter table teams
    -- Whoever has no second factor sees nothing of the team but that it is theirs.
    add column require_second_factor boolean not null default false;

-- The secret shared with an authenticator application; without a confirmation it proves nothing.
create table totp_factors (
    user_id uuid primary key references users on delete cascade,
    secret text not null unique references secrets on delete cascade,
    created_at timestamptz not null,
    confirmed_at timestamptz,
    -- The step of the last code that was accepted; no code of it or of an earlier one is accepted again.
    last_step bigint
);

create table recovery_codes (
    user_id uuid not null references users on delete cascade,
    hash bytea not null check (octet_length(hash) = 32),
    used_at timestamptz,
    primary key (user_id, hash)
);

-- Wrong codes in a row, by account, whoever tried them. Each try is counted before it is judged, so that of many at once
-- no more are judged than of one after the other.
create table code_attempts (
    user_id uuid primary key references users on delete cascade,
    failures integer not null check (failures >= 0),
    open_at timestamptz not null
);

create table passkeys (
    id uuid primary key,
    user_id uuid not null references users on delete cascade,
    credential_id bytea not null constraint passkeys_credential_key unique
        check (octet_length(credential_id) between 1 and 1023),
    -- In the canonical form of COSE.
    public_key bytea not null check (octet_length(public_key) <= 1024),
    name text not null check (octet_length(name) between 1 and 100),
    transports text[] not null check (cardinality(transports) <= 8),
    sign_count bigint not null check (sign_count between 0 and 4294967295),
    is_backed_up boolean not null,
    created_at timestamptz not null,
    last_used_at timestamptz
);

create index passkeys_user on passkeys (user_id, id);

-- Challenges that were answered, until they would have ended anyway.
create table spent_challenges (
    hash bytea primary key check (octet_length(hash) = 32),
    expires_at timestamptz not null
);

create index spent_challenges_expiry on spent_challenges (expires_at);

alter table notices drop constraint notices_kind_check;
alter table notices add constraint notices_kind_check check (kind in (
    'new_device', 'token_reuse', 'password_changed', 'password_reset', 'factor_enabled', 'factor_disabled',
    'factor_refused', 'recovery_used'
));

-- Whether a person can prove more than a password.
create function errand_has_factor(person uuid) returns boolean
language plpgsql stable security definer as $$
begin
    return exists (select from public.totp_factors f where f.user_id = person and f.confirmed_at is not null)
        or exists (select from public.passkeys p where p.user_id = person);
end
$$;

-- Keeps a secret that is still to be confirmed, in place of another such; false beside a confirmed one.
create function errand_begin_totp(person uuid, secret_place text, sealed_secret bytea, moment timestamptz)
returns boolean language plpgsql as $$
begin
    -- The changes of one person's factors come one after the other.
    perform from users u where u.id = person for no key update;
    if exists (select from totp_factors f where f.user_id = person and f.confirmed_at is not null) then
        return false;
    end if;
    insert into secrets (place, user_id, sealed) values (secret_place, person, sealed_secret)
    on conflict (place) do update set sealed = excluded.sealed;
    insert into totp_factors (user_id, secret, created_at) values (person, secret_place, moment)
    on conflict (user_id) do update set created_at = excluded.created_at, last_step = null;
    return true;
end
$$;

-- Opens one try at a code: counted as wrong until it is accepted. No row for a person without such a factor; with a wait
-- the secret is not given.
create function errand_attempt_code(person uuid, moment timestamptz, free integer, longest interval)
returns table (
    wait_ms bigint, failures integer, place text, sealed bytea, begun_at timestamptz, confirmed boolean, last_step bigint
)
language plpgsql as $$
declare
    factor totp_factors;
    tries code_attempts;
begin
    select f.* into factor from totp_factors f where f.user_id = person;
    if not found then return; end if;
    insert into code_attempts (user_id, failures, open_at) values (person, 0, moment) on conflict (user_id) do nothing;
    select a.* into tries from code_attempts a where a.user_id = person for no key update;
    -- A wait that is longer than any was set by a clock that has gone back since.
    if tries.open_at > moment and tries.open_at <= moment + longest then
        return query select
            ceil(extract(epoch from tries.open_at - moment) * 1000)::bigint, tries.failures, null::text, null::bytea,
            factor.created_at, factor.confirmed_at is not null, factor.last_step;
        return;
    end if;
    tries.failures := least(tries.failures, 1000000) + 1;
    update code_attempts a
    set failures = tries.failures,
        open_at = moment + case
            when tries.failures < free then interval '0'
            else least(longest, make_interval(secs => power(2, least(tries.failures - free, 20))))
        end
    where a.user_id = person;
    return query
    select 0::bigint, tries.failures, s.place, s.sealed, factor.created_at, factor.confirmed_at is not null,
        factor.last_step
    from secrets s where s.place = factor.secret;
end
$$;

-- The acts below answer with no row when there was nothing to do; else with a null, and the sign-ins that they ended.

-- Turns a secret into a factor. `begun` names the secret that the code was judged by.
create function errand_confirm_totp(
    person uuid, step bigint, begun timestamptz, codes bytea[], kept uuid, notice text, from_address text, client text,
    moment timestamptz
) returns table (ended uuid) language plpgsql as $$
begin
    perform from users u where u.id = person for no key update;
    update totp_factors f set confirmed_at = moment, last_step = step
    where f.user_id = person and f.confirmed_at is null and f.created_at = begun;
    if not found then return; end if;
    delete from code_attempts a where a.user_id = person;
    perform errand_put_recovery_codes(person, codes);
    perform errand_notice(person, notice, kept, from_address, client, moment);
    return query select null::uuid union all select e from errand_end_sign_ins(person, kept, moment) e;
end
$$;

create function errand_remove_totp(
    person uuid, kept uuid, notice text, from_address text, client text, moment timestamptz
) returns table (ended uuid) language plpgsql as $$
begin
    perform from users u where u.id = person for no key update;
    delete from secrets s using totp_factors f
    where f.user_id = person and f.confirmed_at is not null and s.place = f.secret;
    if not found then return; end if;
    delete from code_attempts a where a.user_id = person;
    if not errand_has_factor(person) then delete from recovery_codes c where c.user_id = person; end if;
    perform errand_notice(person, notice, kept, from_address, client, moment);
    return query select null::uuid union all select e from errand_end_sign_ins(person, kept, moment) e;
end
$$;

create function errand_put_recovery_codes(person uuid, codes bytea[]) returns void language plpgsql as $$
begin
    delete from recovery_codes c where c.user_id = person;
    insert into recovery_codes (user_id, hash) select person, unnest(codes);
end
$$;

create function errand_replace_recovery_codes(person uuid, codes bytea[]) returns setof boolean
language plpgsql as $$
begin
    perform from users u where u.id = person for no key update;
    if not errand_has_factor(person) then return; end if;
    perform errand_put_recovery_codes(person, codes);
    return query select true;
end
$$;

-- Uses a recovery code up, and answers with the number that is left.
create function errand_use_recovery_code(
    person uuid, presented bytea, notice text, from_address text, client text, moment timestamptz
) returns table (remaining bigint) language plpgsql as $$
begin
    update recovery_codes c set used_at = moment
    where c.user_id = person and c.hash = presented and c.used_at is null;
    if not found then return; end if;
    delete from code_attempts a where a.user_id = person;
    perform errand_notice(person, notice, null, from_address, client, moment);
    return query select count(*) from recovery_codes c where c.user_id = person and c.used_at is null;
end
$$;

-- Takes all of a person's factors away.
create function errand_reset_factors(person uuid, notice text, moment timestamptz) returns table (ended uuid)
language plpgsql as $$
begin
    perform from users u where u.id = person for no key update;
    if not errand_has_factor(person) then return; end if;
    delete from secrets s using totp_factors f where f.user_id = person and s.place = f.secret;
    delete from passkeys p where p.user_id = person;
    delete from recovery_codes c where c.user_id = person;
    delete from code_attempts a where a.user_id = person;
    perform errand_notice(person, notice, null, null, null, moment);
    return query select null::uuid union all select e from errand_end_sign_ins(person, null, moment) e;
end
$$;

create function errand_notice(
    person uuid, notice text, about uuid, from_address text, client text, moment timestamptz
) returns void language sql as $$
    insert into notices (user_id, kind, created_at, sign_in_id, address, user_agent)
    values (person, notice, moment, about, from_address, client)
$$;

-- Uses a challenge up; false for one that has been. Those that ended go on the way.
create function errand_spend_challenge(presented bytea, until timestamptz, moment timestamptz) returns boolean
language plpgsql as $$
begin
    delete from spent_challenges s
    where s.hash = any (array(
        select o.hash from spent_challenges o where o.expires_at < moment
        order by o.expires_at limit 100 for update skip locked
    ));
    insert into spent_challenges (hash, expires_at) values (presented, until) on conflict (hash) do nothing;
    return found;
end
$$;

-- Adds a passkey; with it recovery codes for a person who has none.
create function errand_add_passkey(
    person uuid, passkey uuid, credential bytea, cose_key bytea, called text, ways text[], counter bigint,
    backed_up boolean, challenge bytea, until timestamptz, most integer, codes bytea[], kept uuid, notice text,
    from_address text, client text, moment timestamptz
) returns table (verdict text, ended uuid) language plpgsql as $$
declare
    outcome text := 'added';
begin
    perform from users u where u.id = person for no key update;
    if not errand_spend_challenge(challenge, until, moment) then
        return query select 'spent', null::uuid;
        return;
    end if;
    if (select count(*) from passkeys p where p.user_id = person) >= most then
        return query select 'full', null::uuid;
        return;
    end if;
    insert into passkeys (
        id, user_id, credential_id, public_key, name, transports, sign_count, is_backed_up, created_at
    )
    values (passkey, person, credential, cose_key, called, ways, counter, backed_up, moment)
    on conflict (credential_id) do nothing;
    if not found then
        return query select 'taken', null::uuid;
        return;
    end if;
    if not exists (select from recovery_codes c where c.user_id = person and c.used_at is null) then
        outcome := 'added_with_codes';
        perform errand_put_recovery_codes(person, codes);
    end if;
    perform errand_notice(person, notice, kept, from_address, client, moment);
    return query select outcome, null::uuid union all select outcome, e from errand_end_sign_ins(person, kept, moment) e;
end
$$;

-- Uses a passkey. Its counter must have grown, unless it does not count: a copy of it would show here.
create function errand_use_passkey(
    passkey uuid, counter bigint, backed_up boolean, challenge bytea, until timestamptz, moment timestamptz
) returns text language plpgsql as $$
declare
    person uuid;
begin
    if not errand_spend_challenge(challenge, until, moment) then return 'spent'; end if;
    update passkeys p
    set sign_count = counter, is_backed_up = backed_up, last_used_at = moment
    where p.id = passkey
        and (p.sign_count < counter or p.sign_count = 0 and counter = 0)
    returning p.user_id into person;
    if not found then
        return case when exists (select from passkeys p where p.id = passkey) then 'counter' else 'unknown' end;
    end if;
    delete from code_attempts a where a.user_id = person;
    return 'used';
end
$$;

create function errand_remove_passkey(
    person uuid, passkey uuid, kept uuid, notice text, from_address text, client text, moment timestamptz
) returns table (ended uuid) language plpgsql as $$
begin
    perform from users u where u.id = person for no key update;
    delete from passkeys p where p.id = passkey and p.user_id = person;
    if not found then return; end if;
    if not errand_has_factor(person) then delete from recovery_codes c where c.user_id = person; end if;
    perform errand_notice(person, notice, kept, from_address, client, moment);
    return query select null::uuid union all select e from errand_end_sign_ins(person, kept, moment) e;
end
$$;

-- Lets a team demand a second factor, or not. An owner without one would shut themselves out.
create function errand_set_factor_policy(team uuid, wanted boolean) returns text
language plpgsql security definer as $$
declare
    scope text := current_setting('errand.scope', true);
    own text;
    closing boolean;
begin
    select e.role, e.is_closing into own, closing from public.errand_enter_team(team) e;
    if own is null then return 'unknown'; end if;
    if own <> 'owner' then return 'forbidden'; end if;
    if closing then return 'closing'; end if;
    if wanted and scope like 'user:%' and not public.errand_has_factor(substr(scope, 6)::uuid) then
        return 'unenrolled';
    end if;
    update public.teams t set require_second_factor = wanted where t.id = team and t.require_second_factor <> wanted;
    return case when found then 'done' else 'unchanged' end;
end
$$;

-- The teams whose objects a scope opens: a person who lacks the factor that a team demands is not let in, nor is a key
-- that they issued.
create or replace function errand_scope_teams(scope text) returns uuid[]
language plpgsql stable security definer as $$
begin
    if scope like 'user:%' then
        return array(
            select m.team_id
            from public.memberships m
            join public.users u on u.id = m.user_id
            join public.teams t on t.id = m.team_id
            where m.user_id = substr(scope, 6)::uuid and u.disabled_at is null
                and (not t.require_second_factor or public.errand_has_factor(m.user_id))
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
            select from public.memberships m
            join public.users u on u.id = m.user_id
            join public.teams t on t.id = m.team_id
            where m.user_id = substr(scope, 6)::uuid and m.team_id = errand_reaches.team and u.disabled_at is null
                and (not t.require_second_factor or public.errand_has_factor(m.user_id))
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

create or replace function errand_may_submit(scope text, team uuid, project uuid) returns boolean
language plpgsql stable security definer as $$
begin
    if scope like 'user:%' then
        return exists (
            select from public.memberships m
            join public.users u on u.id = m.user_id
            join public.teams t on t.id = m.team_id
            left join public.project_roles r
                on r.project_id = errand_may_submit.project and r.user_id = m.user_id and r.team_id = m.team_id
            where m.user_id = substr(scope, 6)::uuid and m.team_id = errand_may_submit.team and u.disabled_at is null
                and (m.role = 'owner' or coalesce(r.role, m.role) <> 'viewer')
                and (not t.require_second_factor or public.errand_has_factor(m.user_id))
        );
    elsif scope like 'team:%' then
        return substr(scope, 6)::uuid = team;
    elsif scope like 'key:%' then
        return coalesce(public.errand_key_role(substr(scope, 5)::uuid, team, project) <> 'viewer', false);
    end if;
    return scope = 'system';
end
$$;

-- The teams that a scope belongs to, let in or not: by name, so that a person can be told what is missing.
create function errand_joined_teams() returns uuid[]
language plpgsql stable security definer as $$
declare
    scope text := current_setting('errand.scope', true);
begin
    if scope like 'user:%' then
        return array(
            select m.team_id
            from public.memberships m join public.users u on u.id = m.user_id
            where m.user_id = substr(scope, 6)::uuid and u.disabled_at is null
        );
    end if;
    return public.errand_scope_teams(scope);
end
$$;

drop policy own_teams on teams;
create policy own_teams on teams for select to errand_app
    using (id = any ((select errand_joined_teams())::uuid[]));
create policy own_rows on memberships for select to errand_app
    using (
        user_id = (select errand_own_user()) and team_id = any ((select errand_joined_teams())::uuid[])
    );

-- What the role alone allowed so far needs the factor too.
drop policy team_makes on projects;
create policy team_makes on projects for insert to errand_app
    with check (
        errand_role(team_id) in ('member', 'admin', 'owner') and team_id = any ((select errand_teams())::uuid[])
    );
drop policy team_administers on secrets;
create policy team_administers on secrets to errand_app
    using (errand_role(team_id) in ('admin', 'owner') and team_id = any ((select errand_teams())::uuid[]));
drop policy team_administers on model_keys;
create policy team_administers on model_keys to errand_app
    using (errand_role(team_id) in ('admin', 'owner') and team_id = any ((select errand_teams())::uuid[]));

-- Postgres lets everybody execute a new function.
do $$
declare
    named text;
begin
    foreach named in array array[
        'errand_has_factor(uuid)', 'errand_begin_totp(uuid, text, bytea, timestamptz)',
        'errand_attempt_code(uuid, timestamptz, integer, interval)',
        'errand_confirm_totp(uuid, bigint, timestamptz, bytea[], uuid, text, text, text, timestamptz)',
        'errand_remove_totp(uuid, uuid, text, text, text, timestamptz)', 'errand_put_recovery_codes(uuid, bytea[])',
        'errand_replace_recovery_codes(uuid, bytea[])',
        'errand_use_recovery_code(uuid, bytea, text, text, text, timestamptz)',
        'errand_reset_factors(uuid, text, timestamptz)', 'errand_notice(uuid, text, uuid, text, text, timestamptz)',
        'errand_spend_challenge(bytea, timestamptz, timestamptz)',
        'errand_add_passkey(uuid, uuid, bytea, bytea, text, text[], bigint, boolean, bytea, timestamptz, integer, '
            'bytea[], uuid, text, text, text, timestamptz)',
        'errand_use_passkey(uuid, bigint, boolean, bytea, timestamptz, timestamptz)',
        'errand_remove_passkey(uuid, uuid, uuid, text, text, text, timestamptz)',
        'errand_set_factor_policy(uuid, boolean)', 'errand_joined_teams()'
    ] loop
        execute format('revoke execute on function %s from public', named);
        execute format('grant execute on function %s to errand_app', named);
    end loop;
end
$$;

alter table totp_factors enable row level security, force row level security;
alter table recovery_codes enable row level security, force row level security;
alter table code_attempts enable row level security, force row level security;
alter table passkeys enable row level security, force row level security;
alter table spent_challenges enable row level security, force row level security;

create policy system_scope on totp_factors to errand_app, errand_owner
    using ((select current_setting('errand.scope', true)) = 'system');
create policy scope_functions on totp_factors for select to errand_owner using (true);
create policy system_scope on recovery_codes to errand_app, errand_owner
    using ((select current_setting('errand.scope', true)) = 'system');
create policy system_scope on code_attempts to errand_app, errand_owner
    using ((select current_setting('errand.scope', true)) = 'system');
create policy system_scope on passkeys to errand_app, errand_owner
    using ((select current_setting('errand.scope', true)) = 'system');
create policy scope_functions on passkeys for select to errand_owner using (true);
create policy system_scope on spent_challenges to errand_app, errand_owner
    using ((select current_setting('errand.scope', true)) = 'system');

grant select, insert, update, delete on totp_factors, recovery_codes, code_attempts, passkeys, spent_challenges
to errand_app;
