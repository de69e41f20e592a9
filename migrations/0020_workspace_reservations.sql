-- Room for an archive that is coming is a row of its own, which ends by itself: neither a server that ends during an upload
-- nor two uploads at once leave anything counted that is not there.

set local errand.scope = 'system';

create table workspace_reservations (
    id bigint generated always as identity primary key,
    project_id uuid not null,
    team_id uuid not null references teams on delete cascade,
    -- What the archive takes beyond what the workspace was known to hold.
    bytes bigint not null check (bytes >= 0),
    -- Put off while bytes come: what nobody puts off belongs to a server that has ended.
    expires_at timestamptz not null
);

create index workspace_reservations_age on workspace_reservations (expires_at);
create index workspace_reservations_team on workspace_reservations (team_id, expires_at);
create index workspace_reservations_project on workspace_reservations (project_id);

create trigger workspace_reservations_usage_in after insert on workspace_reservations
referencing new table as new_sizes for each statement execute function errand_count_workspaces();
create trigger workspace_reservations_usage_out after delete on workspace_reservations
referencing old table as old_sizes for each statement execute function errand_count_workspaces();

-- A deleted project gives its place, its workspace and what was reserved for it back; its jobs' logs stay.
create or replace function errand_count_projects() returns trigger language plpgsql security definer as $$
begin
    if tg_op = 'INSERT' then
        insert into public.team_usage_changes (team_id, projects)
        select n.team_id, count(*) from new_projects n where n.deleted_at is null group by n.team_id;
    elsif tg_op = 'DELETE' then
        delete from public.workspace_sizes s where s.project_id in (select o.id from old_projects o);
        delete from public.workspace_reservations r where r.project_id in (select o.id from old_projects o);
        insert into public.team_usage_changes (team_id, projects)
        select o.team_id, -count(*) from old_projects o where o.deleted_at is null group by o.team_id;
    else
        delete from public.workspace_sizes s
        where s.project_id in (select n.id from new_projects n where n.deleted_at is not null);
        delete from public.workspace_reservations r
        where r.project_id in (select n.id from new_projects n where n.deleted_at is not null);
        insert into public.team_usage_changes (team_id, projects)
        select d.team_id, sum(d.projects)
        from (
            select n.team_id, (n.deleted_at is null)::integer as projects from new_projects n
            union all
            select o.team_id, -(o.deleted_at is null)::integer from old_projects o
        ) d
        group by d.team_id
        having sum(d.projects) <> 0;
    end if;
    return null;
end
$$;

-- Takes room for an archive that is about to be sent: of `wanted` bytes, or of any number up to `largest` when that is
-- not known. `most` is what it may have, `full` that it may not have that. The room is taken at once, so that two
-- archives do not share it.
create function errand_hold_workspace(
    project uuid, wanted bigint, largest bigint, moment timestamptz, ending timestamptz,
    out verdict text, out reservation bigint, out most bigint
) language plpgsql security definer as $$
declare
    team uuid;
    quota bigint;
    before bigint;
begin
    select p.team_id into team from public.projects p where p.id = project and p.deleted_at is null;
    if team is null or not public.errand_reaches(current_setting('errand.scope', true), team) then
        verdict := 'unknown';
        return;
    end if;
    -- A deletion of the project comes before or after this, not in between: it takes all that is reserved along.
    perform from public.projects p where p.id = project and p.deleted_at is null for key share;
    if not found then
        verdict := 'unknown';
        return;
    end if;
    perform public.errand_queue_up(team, 'stored_bytes');
    delete from public.workspace_reservations r where r.team_id = team and r.expires_at <= moment;
    before := coalesce((select s.bytes from public.workspace_sizes s where s.project_id = project), 0);
    quota := public.errand_limit(team, 'stored_bytes');
    most := coalesce(wanted, largest);
    if quota is not null then
        -- What is replaced gives its room to what comes.
        quota := greatest(quota - (select u.stored_bytes from public.errand_usage(team) u) + before, 0);
        if quota = 0 or wanted > quota then
            verdict := 'full';
            return;
        end if;
        most := least(most, quota);
    end if;
    insert into public.workspace_reservations as r (project_id, team_id, bytes, expires_at)
    values (project, team, greatest(most - before, 0), ending)
    returning r.id into reservation;
    verdict := 'reserved';
end
$$;

drop function errand_reserve_workspace(uuid, bigint);

-- Puts the end of a reservation off.
create function errand_renew_workspace(reservation bigint, ending timestamptz) returns void
language plpgsql security definer as $$
begin
    update public.workspace_reservations r set expires_at = ending
    where r.id = reservation and public.errand_reaches(current_setting('errand.scope', true), r.team_id);
end
$$;

-- Gives a reservation back, and notes how large the archive was when one has come (null: none has).
create function errand_release_workspace(project uuid, reservation bigint, size bigint) returns void
language plpgsql security definer as $$
declare
    team uuid;
begin
    select p.team_id into team from public.projects p where p.id = project and p.deleted_at is null for key share;
    if team is null or not public.errand_reaches(current_setting('errand.scope', true), team) then return; end if;
    delete from public.workspace_reservations r where r.id = reservation and r.project_id = project;
    if size is not null then
        insert into public.workspace_sizes as s (project_id, team_id, bytes) values (project, team, greatest(size, 0))
        on conflict (project_id) do update set bytes = excluded.bytes;
    end if;
end
$$;

-- Forgets reservations that nobody has put off; says how many.
create function errand_prune_reservations(moment timestamptz, wanted integer) returns bigint language plpgsql as $$
declare
    removed bigint;
begin
    delete from workspace_reservations r
    where r.id = any (array(
        select o.id from workspace_reservations o where o.expires_at <= moment
        order by o.expires_at limit wanted for update skip locked
    ));
    get diagnostics removed = row_count;
    return removed;
end
$$;

-- What a team may still submit: the free places of its queue (null: any number), and what forbids jobs or agents. Room
-- that archives have only reserved forbids no job.
create or replace function errand_submit_room(
    team uuid, moment timestamptz, out places bigint, out is_full boolean, out is_spent boolean
) language plpgsql stable as $$
declare
    most bigint := errand_limit(team, 'queued_jobs');
    most_bytes bigint := errand_limit(team, 'stored_bytes');
begin
    is_full := false;
    is_spent := errand_is_spent(team, moment);
    if most is not null or most_bytes is not null then
        select most - u.queued_jobs, coalesce(u.stored_bytes >= most_bytes, false) into places, is_full
        from errand_usage(team) u;
        if is_full then
            is_full := (
                select u.stored_bytes - (
                    select coalesce(sum(r.bytes), 0) from workspace_reservations r where r.team_id = team
                ) >= most_bytes
                from errand_usage(team) u
            );
        end if;
    end if;
end
$$;

revoke execute on function
    errand_hold_workspace(uuid, bigint, bigint, timestamptz, timestamptz), errand_renew_workspace(bigint, timestamptz),
    errand_release_workspace(uuid, bigint, bigint), errand_prune_reservations(timestamptz, integer)
from public;
grant execute on function
    errand_hold_workspace(uuid, bigint, bigint, timestamptz, timestamptz), errand_renew_workspace(bigint, timestamptz),
    errand_release_workspace(uuid, bigint, bigint), errand_prune_reservations(timestamptz, integer)
to errand_app;

alter table workspace_reservations enable row level security, force row level security;

create policy system_scope on workspace_reservations to errand_app, errand_owner
    using ((select current_setting('errand.scope', true)) = 'system');
create policy own_teams on workspace_reservations for select to errand_app
    using (team_id = any ((select errand_teams())::uuid[]));
create policy counting on workspace_reservations to errand_owner using (true) with check (true);

grant select, delete on workspace_reservations to errand_app;
