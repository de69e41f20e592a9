-- Teams whole: invitations, roles in single projects, and a deletion that can be taken back.

alter table teams
    -- When its deletion was asked for. Until the sweep ends it an owner can take that back.
    add column deleted_at timestamptz;

create index teams_deleted on teams (deleted_at) where deleted_at is not null;

alter table projects
    -- Set while the team is being deleted. It stands here because a submit locks the project and not the team.
    add column frozen_at timestamptz;

-- All of a team's, the deleted ones too.
create index projects_of_team on projects (team_id);
create index memberships_people on memberships (team_id, user_id);

create table invites (
    id uuid primary key,
    team_id uuid not null references teams on delete cascade,
    -- The token is shown once and kept nowhere.
    token_hash bytea not null constraint invites_token_key unique check (octet_length(token_hash) = 32),
    role text not null check (role in ('viewer', 'member', 'admin', 'owner')),
    -- The only address whose account may accept; null for whoever holds the link.
    email text check (email = lower(email) and length(email) <= 254),
    -- Null when the machine's administrator invited.
    invited_by uuid references users on delete cascade,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    accepted_at timestamptz,
    accepted_by uuid references users on delete set null,
    revoked_at timestamptz,
    constraint invites_life check (expires_at > created_at),
    constraint invites_end check (num_nonnulls(accepted_at, revoked_at) <= 1)
);

create index invites_team on invites (team_id, id);
create index invites_expiry on invites (expires_at);

-- A role that counts in one project in place of the one in its team; an owner's is the same everywhere.
create table project_roles (
    project_id uuid not null references projects on delete cascade,
    user_id uuid not null,
    team_id uuid not null,
    role text not null check (role in ('viewer', 'member', 'admin')),
    primary key (project_id, user_id),
    -- Whoever leaves the team leaves its projects.
    foreign key (user_id, team_id) references memberships on delete cascade
);

create index project_roles_member on project_roles (user_id, team_id);

-- Workspaces of projects that are no more, until the worker that holds them says that they are gone.
create table workspace_removals (
    project_id uuid primary key,
    worker_id uuid not null references workers,
    asked_at timestamptz not null
);

create index workspace_removals_worker on workspace_removals (worker_id);

-- Roles as numbers, for comparison.
create function errand_rank(role text) returns integer language sql immutable as $$
    select array_position(array['viewer', 'member', 'admin', 'owner'], role)
$$;

-- What the person of this transaction may do in a team: everything for the system, the least for a team's own scope,
-- null where the scope does not reach.
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
    end if;
    return null;
end
$$;

-- The same in one project, where a member may have another role.
create function errand_role(team uuid, project uuid) returns text
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
    end if;
    return public.errand_role(team);
end
$$;

-- Whether a scope may submit jobs to a project, for statements that serve many people at once.
create function errand_may_submit(scope text, team uuid, project uuid) returns boolean
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
    end if;
    return scope = 'system';
end
$$;

-- The acts on a team and its people run as the owner of the tables and ask the scope of the transaction who acts. Each
-- takes the team's row first: of several at once every one sees what the others did. They answer with a word.

-- Takes the team's row; the actor's role, and whether the team is being deleted. No role: it is not there for them.
create function errand_enter_team(team uuid, out role text, out is_closing boolean)
language plpgsql security definer as $$
begin
    select t.deleted_at is not null into is_closing from public.teams t where t.id = team for no key update;
    if found then role := public.errand_role(team); end if;
end
$$;

-- Whether nobody else could act as the team's owner.
create function errand_is_last_owner(team uuid, member uuid) returns boolean
language sql stable security definer as $$
    select not exists (
        select from public.memberships m join public.users u on u.id = m.user_id
        where m.team_id = team and m.role = 'owner' and m.user_id <> member and u.disabled_at is null
    )
$$;

create function errand_rename_team(team uuid, wanted text) returns text
language plpgsql security definer as $$
declare
    own text;
    closing boolean;
begin
    select e.role, e.is_closing into own, closing from public.errand_enter_team(team) e;
    if own is null then return 'unknown'; end if;
    if public.errand_rank(own) < public.errand_rank('admin') then return 'forbidden'; end if;
    if closing then return 'closing'; end if;
    update public.teams t set name = wanted where t.id = team and t.name <> wanted;
    return case when found then 'done' else 'unchanged' end;
end
$$;

-- Changes a member's role. Nobody raises anybody above themselves or touches someone above them.
create function errand_set_role(team uuid, member uuid, wanted text) returns text
language plpgsql security definer as $$
declare
    own text;
    closing boolean;
    present text;
begin
    select e.role, e.is_closing into own, closing from public.errand_enter_team(team) e;
    if own is null then return 'unknown'; end if;
    if public.errand_rank(own) < public.errand_rank('admin') then return 'forbidden'; end if;
    select m.role into present from public.memberships m where m.user_id = member and m.team_id = team;
    if not found then return 'unknown_member'; end if;
    if closing then return 'closing'; end if;
    if public.errand_rank(own) < greatest(public.errand_rank(present), public.errand_rank(wanted)) then
        return 'forbidden';
    end if;
    if present = wanted then return 'unchanged'; end if;
    if present = 'owner' and public.errand_is_last_owner(team, member) then return 'last_owner'; end if;
    update public.memberships m set role = wanted where m.user_id = member and m.team_id = team;
    -- An owner has no other role anywhere; one that was set before must not come back some day.
    if wanted = 'owner' then
        delete from public.project_roles r where r.user_id = member and r.team_id = team;
    end if;
    return 'done';
end
$$;

-- Removes a member, or lets the actor leave, for which no role is needed.
create function errand_remove_member(team uuid, member uuid) returns text
language plpgsql security definer as $$
declare
    scope text := current_setting('errand.scope', true);
    leaves boolean := case when scope like 'user:%' then substr(scope, 6)::uuid = member else false end;
    own text;
    closing boolean;
    present text;
begin
    select e.role, e.is_closing into own, closing from public.errand_enter_team(team) e;
    if own is null then return 'unknown'; end if;
    if not leaves and public.errand_rank(own) < public.errand_rank('admin') then return 'forbidden'; end if;
    select m.role into present from public.memberships m where m.user_id = member and m.team_id = team;
    if not found then return 'unknown_member'; end if;
    if closing and not leaves then return 'closing'; end if;
    if public.errand_rank(own) < public.errand_rank(present) then return 'forbidden'; end if;
    if present = 'owner' and public.errand_is_last_owner(team, member) then return 'last_owner'; end if;
    delete from public.memberships m where m.user_id = member and m.team_id = team;
    return 'done';
end
$$;

-- Makes an account a member, past every invitation: for the machine's administrator.
create function errand_add_member(team uuid, member uuid, wanted text, moment timestamptz) returns text
language plpgsql security definer as $$
declare
    closing boolean;
    own text;
begin
    select e.role, e.is_closing into own, closing from public.errand_enter_team(team) e;
    if own is null or current_setting('errand.scope', true) <> 'system' then return 'unknown'; end if;
    if closing then return 'closing'; end if;
    if not exists (select from public.users u where u.id = member) then return 'unknown_member'; end if;
    insert into public.memberships (user_id, team_id, role, created_at) values (member, team, wanted, moment)
    on conflict (user_id, team_id) do nothing;
    return case when found then 'done' else 'already_member' end;
end
$$;

-- Hands a team over: the heir becomes an owner, the actor an administrator of it.
create function errand_transfer_team(team uuid, heir uuid) returns text
language plpgsql security definer as $$
declare
    scope text := current_setting('errand.scope', true);
    own text;
    closing boolean;
begin
    select e.role, e.is_closing into own, closing from public.errand_enter_team(team) e;
    if own is null then return 'unknown'; end if;
    if own <> 'owner' or scope not like 'user:%' then return 'forbidden'; end if;
    if not exists (
        select from public.memberships m join public.users u on u.id = m.user_id
        where m.user_id = heir and m.team_id = team and u.disabled_at is null
    ) then
        return 'unknown_member';
    end if;
    if closing then return 'closing'; end if;
    if substr(scope, 6)::uuid = heir then return 'unchanged'; end if;
    update public.memberships m set role = 'owner' where m.user_id = heir and m.team_id = team;
    delete from public.project_roles r where r.user_id = heir and r.team_id = team;
    update public.memberships m set role = 'admin' where m.user_id = substr(scope, 6)::uuid and m.team_id = team;
    return 'done';
end
$$;

-- Gives a member another role in one project, or with null the team's again.
create function errand_set_project_role(project uuid, member uuid, wanted text) returns text
language plpgsql security definer as $$
declare
    team uuid;
    own text;
    closing boolean;
    base text;
    present text;
begin
    select p.team_id into team from public.projects p where p.id = project and p.deleted_at is null;
    if not found then return 'unknown'; end if;
    select e.role, e.is_closing into own, closing from public.errand_enter_team(team) e;
    if own is null then return 'unknown'; end if;
    own := public.errand_role(team, project);
    if public.errand_rank(own) < public.errand_rank('admin') then return 'forbidden'; end if;
    select m.role, r.role into base, present
    from public.memberships m
    left join public.project_roles r on r.project_id = project and r.user_id = m.user_id and r.team_id = m.team_id
    where m.user_id = member and m.team_id = team;
    if not found then return 'unknown_member'; end if;
    if closing then return 'closing'; end if;
    if public.errand_rank(own) < greatest(
        public.errand_rank(coalesce(present, base)), public.errand_rank(coalesce(wanted, base))
    ) then
        return 'forbidden';
    end if;
    if base = 'owner' then return 'owner_fixed'; end if;
    if wanted is not distinct from present then return 'unchanged'; end if;
    if wanted is null then
        delete from public.project_roles r where r.project_id = project and r.user_id = member;
    else
        insert into public.project_roles (project_id, user_id, team_id, role) values (project, member, team, wanted)
        on conflict (project_id, user_id) do update set role = excluded.role;
    end if;
    return 'done';
end
$$;

create function errand_invite(
    team uuid, invite uuid, presented bytea, wanted text, address text, moment timestamptz, expires timestamptz,
    most integer
) returns text
language plpgsql security definer as $$
declare
    scope text := current_setting('errand.scope', true);
    own text;
    closing boolean;
begin
    select e.role, e.is_closing into own, closing from public.errand_enter_team(team) e;
    if own is null then return 'unknown'; end if;
    if public.errand_rank(own) < greatest(public.errand_rank('admin'), public.errand_rank(wanted)) then
        return 'forbidden';
    end if;
    if closing then return 'closing'; end if;
    if (
        select count(*) from public.invites i
        where i.team_id = team and i.accepted_at is null and i.revoked_at is null and i.expires_at > moment
    ) >= most then
        return 'full';
    end if;
    insert into public.invites (id, team_id, token_hash, role, email, invited_by, created_at, expires_at)
    values (
        invite, team, presented, wanted, address,
        case when scope like 'user:%' then substr(scope, 6)::uuid end, moment, expires
    );
    return 'done';
end
$$;

create function errand_revoke_invite(team uuid, invite uuid, moment timestamptz) returns text
language plpgsql security definer as $$
declare
    own text;
    closing boolean;
    granted text;
begin
    select e.role, e.is_closing into own, closing from public.errand_enter_team(team) e;
    if own is null then return 'unknown'; end if;
    if public.errand_rank(own) < public.errand_rank('admin') then return 'forbidden'; end if;
    select i.role into granted from public.invites i
    where i.id = invite and i.team_id = team and i.accepted_at is null and i.revoked_at is null
        and i.expires_at > moment;
    if not found then return 'unknown_invite'; end if;
    if public.errand_rank(own) < public.errand_rank(granted) then return 'forbidden'; end if;
    update public.invites i set revoked_at = moment where i.id = invite;
    return 'done';
end
$$;

-- Takes an invitation up for the person of this transaction. Whatever is wrong with it has one answer; and whoever
-- invited must still be allowed to.
create function errand_accept_invite(presented bytea, moment timestamptz) returns text
language plpgsql security definer as $$
declare
    scope text := current_setting('errand.scope', true);
    guest uuid;
    found_team uuid;
    invite public.invites;
begin
    if scope not like 'user:%' then return 'unknown_invite'; end if;
    guest := substr(scope, 6)::uuid;
    select i.team_id into found_team from public.invites i where i.token_hash = presented;
    if not found then return 'unknown_invite'; end if;
    perform from public.teams t where t.id = found_team and t.deleted_at is null for no key update;
    if not found then return 'unknown_invite'; end if;
    select i.* into invite from public.invites i
    where i.token_hash = presented and i.accepted_at is null and i.revoked_at is null and i.expires_at > moment;
    if not found
        or not exists (
            select from public.users u
            where u.id = guest and u.disabled_at is null and (invite.email is null or u.email = invite.email)
        )
        or invite.invited_by is not null and not exists (
            select from public.memberships m join public.users u on u.id = m.user_id
            where m.user_id = invite.invited_by and m.team_id = found_team and u.disabled_at is null
                and public.errand_rank(m.role)
                    >= greatest(public.errand_rank('admin'), public.errand_rank(invite.role))
        )
    then
        return 'unknown_invite';
    end if;
    insert into public.memberships (user_id, team_id, role, created_at)
    values (guest, found_team, invite.role, moment)
    on conflict (user_id, team_id) do nothing;
    if not found then return 'already_member'; end if;
    update public.invites i set accepted_at = moment, accepted_by = guest where i.id = invite.id;
    return 'done';
end
$$;

-- A project made while its team's deletion begins would escape the freezing; the lock makes one wait for the other.
create function errand_refuse_project_in_closing_team() returns trigger
language plpgsql security definer as $$
declare
    closing timestamptz;
begin
    select t.deleted_at into closing from public.teams t where t.id = new.team_id for share;
    if closing is not null then
        raise exception 'the team is being deleted'
            using errcode = 'check_violation', constraint = 'projects_open_team', table = 'projects';
    end if;
    return new;
end
$$;

create trigger projects_open_team before insert on projects for each row
execute function errand_refuse_project_in_closing_team();

-- Begins a team's deletion. Its jobs are ended by `errand_cancel_closing`, which also finds what was on its way here.
create function errand_delete_team(team uuid, moment timestamptz) returns text
language plpgsql security definer as $$
declare
    own text;
    closing boolean;
begin
    select e.role, e.is_closing into own, closing from public.errand_enter_team(team) e;
    if own is null then return 'unknown'; end if;
    if own <> 'owner' then return 'forbidden'; end if;
    if closing then return 'unchanged'; end if;
    update public.teams t set deleted_at = moment where t.id = team;
    -- Against submits, which hold the project's key; those that come later find it frozen.
    perform from public.projects p where p.team_id = team order by p.id for update;
    update public.projects p set frozen_at = moment where p.team_id = team;
    return 'done';
end
$$;

create function errand_restore_team(team uuid, moment timestamptz, grace interval) returns text
language plpgsql security definer as $$
declare
    own text;
    closing boolean;
begin
    select e.role, e.is_closing into own, closing from public.errand_enter_team(team) e;
    if own is null then return 'unknown'; end if;
    if own <> 'owner' then return 'forbidden'; end if;
    if not closing then return 'unchanged'; end if;
    -- What the sweep may have begun to take apart does not come back.
    update public.teams t set deleted_at = null where t.id = team and t.deleted_at > moment - grace;
    if not found then return 'unknown'; end if;
    update public.projects p set frozen_at = null where p.team_id = team;
    return 'done';
end
$$;

-- Ends jobs of teams that are being deleted: those that wait at once, those that run through their workers.
create function errand_cancel_closing(moment timestamptz, wanted integer)
returns table (job uuid, worker uuid) language plpgsql as $$
declare
    doomed uuid[];
begin
    doomed := array(
        select j.id
        from teams t
        cross join lateral (
            select q.id from jobs q
            where q.team_id >= t.id and q.team_id <= t.id and q.cancel_requested_at is null
                and q.state in ('delayed', 'queued', 'blocked', 'running', 'paused')
            order by q.team_id, q.id desc limit wanted
            for no key update skip locked
        ) j
        where t.deleted_at is not null
        limit wanted
    );
    return query
    update jobs j
    set state = case when j.state in ('running', 'paused') then j.state else 'cancelled' end,
        cancel_requested_at = moment,
        finished_at = case when j.state in ('running', 'paused') then null else moment end,
        reason = case when j.state in ('running', 'paused') then j.reason else 'cancelled_by_user' end,
        reason_text = case when j.state in ('running', 'paused') then j.reason_text else 'Its team is being deleted.' end
    where j.id = any (doomed)
    returning j.id, case when j.state in ('running', 'paused') then j.worker_id end;
end
$$;

-- The teams whose time to be taken back is over, and where nothing runs any more.
create function errand_ended_teams(moment timestamptz, grace interval, wanted integer) returns setof uuid
language sql stable as $$
    select t.id from teams t
    where t.deleted_at <= moment - grace and not exists (
        select from jobs j
        where j.team_id = t.id and j.state in ('delayed', 'queued', 'blocked', 'running', 'paused')
    )
    order by t.deleted_at limit wanted
$$;

-- Takes a team apart, some jobs at a time: `more` until they are gone, `done` when nothing is left but its audit log.
-- It says `unknown` to all but the system.
create function errand_purge_team(team uuid, moment timestamptz, grace interval, wanted integer) returns text
language plpgsql security definer as $$
declare
    batch uuid[];
begin
    if current_setting('errand.scope', true) is distinct from 'system' then return 'unknown'; end if;
    perform from public.teams t where t.id = team and t.deleted_at <= moment - grace for update;
    if not found then return 'unknown'; end if;
    batch := array(select j.id from public.jobs j where j.team_id = team order by j.team_id, j.id limit wanted);
    if cardinality(batch) > 0 then
        delete from public.job_output o where o.job_id = any (batch);
        delete from public.jobs j where j.id = any (batch);
        return 'more';
    end if;
    insert into public.workspace_removals (project_id, worker_id, asked_at)
    select p.id, p.home_worker, moment from public.projects p where p.team_id = team and p.home_worker is not null
    on conflict (project_id) do nothing;
    delete from public.projects p where p.team_id = team;
    delete from public.teams t where t.id = team;
    return 'done';
end
$$;

-- Forgets invitations that ended long ago, a bounded number per call.
create function errand_expire_invites(moment timestamptz, wanted integer) returns void
language plpgsql security definer as $$
begin
    if current_setting('errand.scope', true) is distinct from 'system' then return; end if;
    delete from public.invites i
    where i.id = any (array(
        select o.id from public.invites o where o.expires_at < moment - interval '30 days'
        order by o.expires_at limit wanted for update skip locked
    ));
end
$$;

revoke execute on function
    errand_rank(text), errand_role(uuid, uuid), errand_may_submit(text, uuid, uuid), errand_enter_team(uuid),
    errand_is_last_owner(uuid, uuid), errand_rename_team(uuid, text), errand_set_role(uuid, uuid, text),
    errand_remove_member(uuid, uuid), errand_add_member(uuid, uuid, text, timestamptz),
    errand_transfer_team(uuid, uuid), errand_set_project_role(uuid, uuid, text),
    errand_invite(uuid, uuid, bytea, text, text, timestamptz, timestamptz, integer),
    errand_revoke_invite(uuid, uuid, timestamptz), errand_accept_invite(bytea, timestamptz),
    errand_refuse_project_in_closing_team(), errand_delete_team(uuid, timestamptz),
    errand_restore_team(uuid, timestamptz, interval), errand_cancel_closing(timestamptz, integer),
    errand_ended_teams(timestamptz, interval, integer), errand_purge_team(uuid, timestamptz, interval, integer),
    errand_expire_invites(timestamptz, integer)
from public;
grant execute on function
    errand_rank(text), errand_role(uuid, uuid), errand_may_submit(text, uuid, uuid),
    errand_rename_team(uuid, text), errand_set_role(uuid, uuid, text),
    errand_remove_member(uuid, uuid), errand_add_member(uuid, uuid, text, timestamptz),
    errand_transfer_team(uuid, uuid), errand_set_project_role(uuid, uuid, text),
    errand_invite(uuid, uuid, bytea, text, text, timestamptz, timestamptz, integer),
    errand_revoke_invite(uuid, uuid, timestamptz), errand_accept_invite(bytea, timestamptz),
    errand_delete_team(uuid, timestamptz), errand_restore_team(uuid, timestamptz, interval),
    errand_cancel_closing(timestamptz, integer), errand_ended_teams(timestamptz, interval, integer),
    errand_purge_team(uuid, timestamptz, interval, integer), errand_expire_invites(timestamptz, integer)
to errand_app;

alter table invites enable row level security, force row level security;
alter table project_roles enable row level security, force row level security;
alter table workspace_removals enable row level security, force row level security;

create policy system_scope on invites to errand_app, errand_owner
    using ((select current_setting('errand.scope', true)) = 'system');
create policy own_teams on invites for select to errand_app
    using (team_id = any ((select errand_teams())::uuid[]));
create policy system_scope on project_roles to errand_app, errand_owner
    using ((select current_setting('errand.scope', true)) = 'system');
create policy own_teams on project_roles for select to errand_app
    using (team_id = any ((select errand_teams())::uuid[]));
create policy system_scope on workspace_removals to errand_app, errand_owner
    using ((select current_setting('errand.scope', true)) = 'system');

-- The acts above decide by themselves, in every scope; nobody else is the owner.
create policy acts on teams to errand_owner using (true) with check (true);
create policy acts on memberships to errand_owner using (true) with check (true);
create policy acts on projects to errand_owner using (true) with check (true);
create policy acts on invites to errand_owner using (true) with check (true);
create policy acts on project_roles to errand_owner using (true) with check (true);

-- Whoever only looks cannot write, whatever a server forgot to ask. The names sort behind `system_scope`: the servers'
-- own statements never get as far as the function.
drop policy own_teams on projects;
create policy own_teams on projects for select to errand_app
    using (team_id = any ((select errand_teams())::uuid[]));
create policy team_makes on projects for insert to errand_app
    with check (errand_role(team_id) in ('member', 'admin', 'owner'));
create policy team_writes on projects for update to errand_app
    using (errand_role(team_id, id) in ('member', 'admin', 'owner'));
drop policy own_teams on jobs;
create policy own_teams on jobs for select to errand_app
    using (team_id = any ((select errand_teams())::uuid[]));
create policy team_writes on jobs for update to errand_app
    using (errand_role(team_id, project_id) in ('member', 'admin', 'owner'));

grant select on invites, project_roles, workspace_removals to errand_app;
grant delete on workspace_removals to errand_app;
