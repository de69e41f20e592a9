-- Accounts and teams: who may see what. Everything else hangs on the two functions at the end.

create table users (
    id uuid primary key,
    email text not null constraint users_email_key unique check (email = lower(email) and length(email) <= 254),
    name text not null,
    password_hash text not null,
    is_administrator boolean not null default false,
    disabled_at timestamptz,
    created_at timestamptz not null
);

create table teams (
    id uuid primary key,
    name text not null,
    created_at timestamptz not null
);

create table memberships (
    user_id uuid not null references users on delete cascade,
    team_id uuid not null references teams on delete cascade,
    role text not null check (role in ('viewer', 'member', 'admin', 'owner')),
    created_at timestamptz not null default now(),
    primary key (user_id, team_id)
);

create index memberships_team on memberships (team_id, created_at, user_id);

-- The teams that a scope opens: none for a disabled account, for the system scope (its policies ask for it by name),
-- and for no scope at all. It runs as its owner, because the policies below ask it and it must not ask them.
-- PL/pgSQL keeps its plans for the session; names are qualified, so no search path can lead it astray.
create function errand_scope_teams(scope text) returns uuid[]
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
    end if;
    return '{}';
end
$$;

-- Whether a scope reaches a team: the same rule for one team, for statements that serve many people at once.
create function errand_reaches(scope text, team uuid) returns boolean
language plpgsql stable security definer as $$
begin
    if scope like 'user:%' then
        return exists (
            select from public.memberships m join public.users u on u.id = m.user_id
            where m.user_id = substr(scope, 6)::uuid and m.team_id = errand_reaches.team and u.disabled_at is null
        );
    elsif scope like 'team:%' then
        return substr(scope, 6)::uuid = errand_reaches.team;
    end if;
    return scope = 'system';
end
$$;

-- The teams that this transaction may see.
create function errand_teams() returns uuid[]
language sql stable as $$ select public.errand_scope_teams(current_setting('errand.scope', true)) $$;

-- What the person of this transaction may do in a team: everything for the system, the least for a team's own scope.
create function errand_role(team uuid) returns text
language plpgsql stable security definer as $$
declare
    scope text := current_setting('errand.scope', true);
begin
    if scope = 'system' then
        return 'owner';
    elsif scope like 'user:%' then
        return (
            select m.role from public.memberships m
            where m.user_id = substr(scope, 6)::uuid and m.team_id = errand_role.team
        );
    end if;
    return 'viewer';
end
$$;

revoke execute on function
    errand_scope_teams(text), errand_reaches(text, uuid), errand_teams(), errand_role(uuid)
from public;
grant execute on function
    errand_scope_teams(text), errand_reaches(text, uuid), errand_teams(), errand_role(uuid)
to errand_app;

-- Row-level security on every table, also for its owner. A transaction says what it may see in `errand.scope`:
-- `user:<uuid>`, `team:<uuid>` or `system`; without it there is nothing to see. The sub-selects make each question one
-- that is asked once per query, not once per row.
alter table users enable row level security, force row level security;
alter table teams enable row level security, force row level security;
alter table memberships enable row level security, force row level security;

create policy system_scope on users to errand_app, errand_owner
    using ((select current_setting('errand.scope', true)) = 'system');
create policy fellow_members on users for select to errand_app
    using (exists (select from memberships m where m.user_id = users.id));
create policy scope_functions on users for select to errand_owner using (true);

create policy system_scope on teams to errand_app, errand_owner
    using ((select current_setting('errand.scope', true)) = 'system');
create policy own_teams on teams for select to errand_app
    using (id = any ((select errand_teams())::uuid[]));

create policy system_scope on memberships to errand_app, errand_owner
    using ((select current_setting('errand.scope', true)) = 'system');
create policy own_teams on memberships for select to errand_app
    using (team_id = any ((select errand_teams())::uuid[]));
create policy scope_functions on memberships for select to errand_owner using (true);

grant select, insert, update on users, teams, memberships to errand_app;
grant delete on memberships to errand_app;
