-- Limits that must survive everything: failed sign-ins, and what a team may have.

set local errand.scope = 'system';

-- Failed sign-ins. A row counts for an account at a place, for an account everywhere (no place), or for a place whatever
-- the account (no account). An account is the digest of the address that was typed, whether there is one or not; a place
-- is a block of addresses, or a device that proved itself.
create table login_failures (
    account bytea not null,
    place bytea not null,
    -- Tries are counted before they are judged, so that many at once are not judged as one; success takes its own back.
    failures integer not null check (failures >= 0),
    last_at timestamptz not null,
    blocked_until timestamptz,
    -- The block whose first refusal was recorded: a flood of refusals is one entry in the audit log.
    told_until timestamptz,
    primary key (account, place)
)
with (fillfactor = 70);

create index login_failures_age on login_failures (last_at);

-- Where an account was signed in to with success.
create table login_places (
    account bytea not null,
    place bytea not null,
    last_at timestamptz not null,
    primary key (account, place)
);

create index login_places_age on login_places (last_at);

-- How long to wait after so many failures, of which the first ones wait for nothing: 1, 2, 4 … seconds.
create function errand_back_off(failures integer, first integer, longest integer) returns interval
language sql immutable as $$
    select case
        when failures >= first then make_interval(secs => least(longest, 1::bigint << least(failures - first, 30)))
    end
$$;

-- Counts a try in advance, or says how long it has to wait: then nothing is counted. `is_first` marks the first refusal
-- of a block.
--
-- A device that proved itself answers for itself alone: no stranger can make it wait. All others wait for the account at
-- their place; for their place; and for the account everywhere, unless it was signed in to from there.
create function errand_login_begin(
    tried bytea, place_of bytea, is_device boolean, moment timestamptz,
    out wait_until timestamptz, out is_first boolean
) language plpgsql as $$
declare
    is_known boolean := is_device or exists (
        select from login_places p
        where p.account = tried and p.place = place_of and p.last_at > moment - interval '90 days'
    );
    counter record;
    binding_place bytea;
    binding_account bytea;
begin
    is_first := false;
    if not is_device then
        insert into login_failures (account, place, failures, last_at)
        values (tried, place_of, 0, moment), (tried, '', 0, moment), ('', place_of, 0, moment)
        on conflict (account, place) do nothing;
    else
        insert into login_failures (account, place, failures, last_at) values (tried, place_of, 0, moment)
        on conflict (account, place) do nothing;
    end if;
    -- In one order for everybody: the pair, the account, the place.
    for counter in
        select f.* from login_failures f
        where f.account = tried and f.place = place_of
            or not is_device and (f.account = tried and f.place = '' or f.account = '' and f.place = place_of)
        order by f.account = '', f.place = ''
        for no key update
    loop
        continue when counter.place = '' and is_known;
        if counter.blocked_until > moment and (wait_until is null or counter.blocked_until > wait_until) then
            wait_until := counter.blocked_until;
            is_first := counter.told_until is distinct from counter.blocked_until;
            binding_account := counter.account;
            binding_place := counter.place;
        end if;
    end loop;
    if wait_until is not null then
        if is_first then
            update login_failures f set told_until = f.blocked_until
            where f.account = binding_account and f.place = binding_place;
        end if;
        return;
    end if;
    update login_failures f
    set failures = c.failures, last_at = moment, blocked_until = moment + errand_back_off(c.failures, c.first, c.longest)
    from (
        select l.account, l.place, k.first, k.longest,
            case when l.last_at < moment - k.memory then 1 else least(l.failures, 1000000) + 1 end as failures
        from login_failures l
        cross join lateral (
            select *
            from (
                values
                    -- A person mistypes; a guesser at one place gets a try a minute.
                    ('pair', 5, 60, interval '1 day'),
                    -- Who guesses from many places gets one in five minutes, after the hundred that NIST allows.
                    ('account', 100, 300, interval '1 day'),
                    -- An office mistypes; who tries one password on many accounts gets a try a minute.
                    ('place', 20, 60, interval '1 hour')
            ) v (kind, first, longest, memory)
            where v.kind = case when l.place = '' then 'account' when l.account = '' then 'place' else 'pair' end
        ) k
        where l.account = tried and l.place = place_of
            or not is_device and (l.account = tried and l.place = '' or l.account = '' and l.place = place_of)
    ) c
    where f.account = c.account and f.place = c.place;
end
$$;

-- Takes back what a try was counted in advance: it was right, or it was never judged.
create function errand_login_end(
    tried bytea, place_of bytea, is_device boolean, begun timestamptz, is_right boolean
) returns void language plpgsql as $$
begin
    perform from login_failures f
    where f.account = tried and f.place = place_of
        or not is_device and (f.account = tried and f.place = '' or f.account = '' and f.place = place_of)
    order by f.account = '', f.place = ''
    for no key update;
    -- A block that this very try began ends with it; one that a later try began stays.
    update login_failures f
    set failures = greatest(f.failures - 1, 0),
        blocked_until = case when f.last_at = begun then null else f.blocked_until end
    where f.account = tried and f.place = place_of
        or not is_device and (f.account = tried and f.place = '' or f.account = '' and f.place = place_of);
    if is_right then
        delete from login_failures f where f.account = tried and f.place = place_of;
        if not is_device then
            insert into login_places as p (account, place, last_at) values (tried, place_of, begun)
            on conflict (account, place) do update set last_at = greatest(p.last_at, excluded.last_at);
        end if;
    end if;
end
$$;

-- Forgets what no longer counts, a bounded number per call.
create function errand_login_prune(moment timestamptz, wanted integer) returns void language plpgsql as $$
begin
    delete from login_failures f
    where f.ctid = any (array(
        select o.ctid from login_failures o where o.last_at < moment - interval '1 day'
        order by o.last_at limit wanted for update skip locked
    ));
    delete from login_places p
    where p.ctid = any (array(
        select o.ctid from login_places o where o.last_at < moment - interval '90 days'
        order by o.last_at limit wanted for update skip locked
    ));
end
$$;

-- What a team may have. The servers write what they are set to when they start; null is no limit.
create table quota_defaults (
    name text primary key
        check (name in ('queued_jobs', 'running_jobs', 'stored_bytes', 'projects', 'members', 'spend_per_day')),
    value bigint check (value >= 0)
);

insert into quota_defaults (name, value)
values ('queued_jobs', null), ('running_jobs', null), ('stored_bytes', null), ('projects', null), ('members', null),
    ('spend_per_day', null);

-- The limits that a team has of its own; null is no limit.
create table team_quotas (
    team_id uuid not null references teams on delete cascade,
    name text not null references quota_defaults,
    value bigint check (value >= 0),
    changed_at timestamptz not null,
    primary key (team_id, name)
);

-- Gives a team what everybody has.
create function errand_reset_quota(team uuid, quota text) returns uuid language plpgsql as $$
begin
    delete from team_quotas q where q.team_id = errand_reset_quota.team and q.name = errand_reset_quota.quota;
    return team;
end
$$;

-- What a team has: the sum of its row here and of the changes that were not added to it yet. Changes are only ever
-- inserted, so no two transactions wait for each other to count.
create table team_usage (
    team_id uuid primary key references teams on delete cascade,
    queued_jobs bigint not null default 0,
    running_jobs bigint not null default 0,
    stored_bytes bigint not null default 0,
    projects bigint not null default 0,
    members bigint not null default 0
)
with (fillfactor = 50);

create table team_usage_changes (
    team_id uuid not null,
    queued_jobs bigint not null default 0,
    running_jobs bigint not null default 0,
    stored_bytes bigint not null default 0,
    projects bigint not null default 0,
    members bigint not null default 0
)
-- Rows live about a second.
with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);

create index team_usage_changes_team on team_usage_changes (team_id);

-- The workspaces' sizes as far as they are known: the archive that was put in last.
create table workspace_sizes (
    project_id uuid primary key,
    team_id uuid not null references teams on delete cascade,
    bytes bigint not null check (bytes >= 0)
);

-- What agents cost by their own account, by days in UTC.
create table team_spend (
    -- Without a reference: an end is written whatever became of the team.
    team_id uuid not null,
    day date not null,
    micro_usd bigint not null default 0,
    input_tokens bigint not null default 0,
    output_tokens bigint not null default 0,
    jobs bigint not null default 0,
    primary key (team_id, day)
)
with (fillfactor = 50);

create index team_spend_age on team_spend (day);

-- What a team has now.
create function errand_usage(
    team uuid,
    out queued_jobs bigint, out running_jobs bigint, out stored_bytes bigint, out projects bigint, out members bigint
) language plpgsql stable as $$
begin
    select coalesce(sum(u.queued_jobs), 0), coalesce(sum(u.running_jobs), 0), coalesce(sum(u.stored_bytes), 0),
        coalesce(sum(u.projects), 0), coalesce(sum(u.members), 0)
    into queued_jobs, running_jobs, stored_bytes, projects, members
    from (
        select b.queued_jobs, b.running_jobs, b.stored_bytes, b.projects, b.members
        from public.team_usage b where b.team_id = errand_usage.team
        union all
        select c.queued_jobs, c.running_jobs, c.stored_bytes, c.projects, c.members
        from public.team_usage_changes c where c.team_id = errand_usage.team
    ) u;
end
$$;

-- A limit of a team; null when there is none.
create function errand_limit(team uuid, wanted text) returns bigint
language plpgsql stable as $$
declare
    most bigint;
begin
    select q.value into most from public.team_quotas q
    where q.team_id = errand_limit.team and q.name = errand_limit.wanted;
    if not found then
        select d.value into most from public.quota_defaults d where d.name = errand_limit.wanted;
    end if;
    return most;
end
$$;

-- Whether a team has spent what it may on the day of a moment.
create function errand_is_spent(team uuid, moment timestamptz) returns boolean
language plpgsql stable as $$
declare
    most bigint := public.errand_limit(team, 'spend_per_day');
begin
    return most is not null and coalesce((
        select s.micro_usd from public.team_spend s
        where s.team_id = errand_is_spent.team and s.day = (errand_is_spent.moment at time zone 'utc')::date
    ), 0) >= most;
end
$$;

-- Makes those who take of one thing of one team go one by one, until their transactions end.
create function errand_queue_up(team uuid, thing text) returns void language plpgsql as $$
begin
    perform pg_advisory_xact_lock(hashtext('errand quota ' || thing), hashtext(team::text));
end
$$;

-- Adds changes to the teams' rows. One at a time: whoever comes second has nothing to do.
create function errand_fold_usage(moment timestamptz, wanted integer) returns void
language plpgsql as $$
begin
    if not pg_try_advisory_xact_lock(hashtext('errand quota'), hashtext('fold')) then return; end if;
    with taken as (
        delete from team_usage_changes c
        where c.ctid = any (array(select o.ctid from team_usage_changes o limit wanted for update skip locked))
        returning *
    ),
    summed as (
        select t.team_id, sum(t.queued_jobs) as queued_jobs, sum(t.running_jobs) as running_jobs,
            sum(t.stored_bytes) as stored_bytes, sum(t.projects) as projects, sum(t.members) as members
        from taken t group by t.team_id
    )
    update team_usage u
    set queued_jobs = u.queued_jobs + s.queued_jobs, running_jobs = u.running_jobs + s.running_jobs,
        stored_bytes = u.stored_bytes + s.stored_bytes, projects = u.projects + s.projects,
        members = u.members + s.members
    from summed s where u.team_id = s.team_id;
    -- A year's account and a month to look at it.
    delete from team_spend s
    where s.ctid = any (array(
        select o.ctid from team_spend o where o.day < (moment at time zone 'utc')::date - 400
        order by o.day limit wanted for update skip locked
    ));
end
$$;

-- Counting: each statement that changes what a team has leaves one row for each team. These functions run as their owner,
-- because whoever may make a job need not be able to write here.
create function errand_count_team() returns trigger language plpgsql security definer as $$
begin
    insert into public.team_usage (team_id) values (new.id) on conflict (team_id) do nothing;
    return null;
end
$$;

create trigger teams_usage after insert on teams for each row execute function errand_count_team();

create function errand_count_jobs() returns trigger language plpgsql security definer as $$
begin
    if tg_op = 'INSERT' then
        insert into public.team_usage_changes (team_id, queued_jobs)
        select n.team_id, count(*) from new_jobs n where n.state in ('delayed', 'queued', 'blocked') group by n.team_id;
    elsif tg_op = 'DELETE' then
        insert into public.team_usage_changes (team_id, queued_jobs, running_jobs, stored_bytes)
        select o.team_id, -count(*) filter (where o.state in ('delayed', 'queued', 'blocked')),
            -count(*) filter (where o.state in ('running', 'paused')), -coalesce(sum(o.log_bytes), 0)
        from old_jobs o group by o.team_id;
    else
        insert into public.team_usage_changes (team_id, queued_jobs, running_jobs, stored_bytes)
        select d.team_id, sum(d.queued), sum(d.running), sum(d.bytes)
        from (
            select n.team_id, (n.state in ('delayed', 'queued', 'blocked'))::integer as queued,
                (n.state in ('running', 'paused'))::integer as running, coalesce(n.log_bytes, 0) as bytes
            from new_jobs n
            union all
            select o.team_id, -(o.state in ('delayed', 'queued', 'blocked'))::integer,
                -(o.state in ('running', 'paused'))::integer, -coalesce(o.log_bytes, 0)
            from old_jobs o
        ) d
        group by d.team_id
        having sum(d.queued) <> 0 or sum(d.running) <> 0 or sum(d.bytes) <> 0;
    end if;
    return null;
end
$$;

create trigger jobs_usage_in after insert on jobs referencing new table as new_jobs
for each statement execute function errand_count_jobs();
create trigger jobs_usage after update on jobs referencing old table as old_jobs new table as new_jobs
for each statement execute function errand_count_jobs();
create trigger jobs_usage_out after delete on jobs referencing old table as old_jobs
for each statement execute function errand_count_jobs();

-- A deleted project gives its place and its workspace back; its jobs' logs stay.
create function errand_count_projects() returns trigger language plpgsql security definer as $$
begin
    if tg_op = 'INSERT' then
        insert into public.team_usage_changes (team_id, projects)
        select n.team_id, count(*) from new_projects n where n.deleted_at is null group by n.team_id;
    elsif tg_op = 'DELETE' then
        delete from public.workspace_sizes s where s.project_id in (select o.id from old_projects o);
        insert into public.team_usage_changes (team_id, projects)
        select o.team_id, -count(*) from old_projects o where o.deleted_at is null group by o.team_id;
    else
        delete from public.workspace_sizes s
        where s.project_id in (select n.id from new_projects n where n.deleted_at is not null);
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

create trigger projects_usage_in after insert on projects referencing new table as new_projects
for each statement execute function errand_count_projects();
create trigger projects_usage after update on projects referencing old table as old_projects new table as new_projects
for each statement execute function errand_count_projects();
create trigger projects_usage_out after delete on projects referencing old table as old_projects
for each statement execute function errand_count_projects();

create function errand_count_members() returns trigger language plpgsql security definer as $$
begin
    if tg_op = 'INSERT' then
        insert into public.team_usage_changes (team_id, members)
        select n.team_id, count(*) from new_members n group by n.team_id;
    else
        insert into public.team_usage_changes (team_id, members)
        select o.team_id, -count(*) from old_members o group by o.team_id;
    end if;
    return null;
end
$$;

create trigger memberships_usage_in after insert on memberships referencing new table as new_members
for each statement execute function errand_count_members();
create trigger memberships_usage_out after delete on memberships referencing old table as old_members
for each statement execute function errand_count_members();

create function errand_count_workspaces() returns trigger language plpgsql security definer as $$
begin
    if tg_op <> 'DELETE' then
        insert into public.team_usage_changes (team_id, stored_bytes)
        select n.team_id, sum(n.bytes) from new_sizes n group by n.team_id;
    end if;
    if tg_op <> 'INSERT' then
        insert into public.team_usage_changes (team_id, stored_bytes)
        select o.team_id, -sum(o.bytes) from old_sizes o group by o.team_id;
    end if;
    return null;
end
$$;

create trigger workspace_sizes_usage_in after insert on workspace_sizes referencing new table as new_sizes
for each statement execute function errand_count_workspaces();
create trigger workspace_sizes_usage after update on workspace_sizes
referencing old table as old_sizes new table as new_sizes
for each statement execute function errand_count_workspaces();
create trigger workspace_sizes_usage_out after delete on workspace_sizes referencing old table as old_sizes
for each statement execute function errand_count_workspaces();

-- Says no in a way that the servers know: the constraint is the quota.
create function errand_refuse_quota(quota text) returns void language plpgsql as $$
begin
    raise exception 'the team has all that its quota % allows', quota using errcode = 'EQ001', constraint = quota;
end
$$;

-- Whoever makes a project or a member, by whatever statement, queues up and finds a free place or none. A statement of
-- many rows is held to what it began with, and again when it has counted them.
create function errand_admit_project() returns trigger language plpgsql security definer as $$
declare
    most bigint := public.errand_limit(new.team_id, 'projects');
begin
    if most is null then return new; end if;
    perform public.errand_queue_up(new.team_id, 'projects');
    if (select u.projects from public.errand_usage(new.team_id) u) >= most then
        perform public.errand_refuse_quota('projects');
    end if;
    return new;
end
$$;

create trigger projects_quota before insert on projects for each row
when (new.deleted_at is null) execute function errand_admit_project();

create function errand_admit_member() returns trigger language plpgsql security definer as $$
declare
    most bigint := public.errand_limit(new.team_id, 'members');
begin
    if most is null then return new; end if;
    -- Who is a member already takes no place.
    if exists (
        select from public.memberships m where m.user_id = new.user_id and m.team_id = new.team_id
    ) then
        return new;
    end if;
    perform public.errand_queue_up(new.team_id, 'members');
    if (select u.members from public.errand_usage(new.team_id) u) >= most then
        perform public.errand_refuse_quota('members');
    end if;
    return new;
end
$$;

create trigger memberships_quota before insert on memberships for each row execute function errand_admit_member();

create function errand_check_projects() returns trigger language plpgsql security definer as $$
begin
    perform public.errand_refuse_quota('projects')
    from (select distinct n.team_id from new_projects n) t
    cross join lateral public.errand_usage(t.team_id) u
    where u.projects > public.errand_limit(t.team_id, 'projects');
    return null;
end
$$;

create trigger projects_usage_in_check after insert on projects referencing new table as new_projects
for each statement execute function errand_check_projects();

create function errand_check_members() returns trigger language plpgsql security definer as $$
begin
    perform public.errand_refuse_quota('members')
    from (select distinct n.team_id from new_members n) t
    cross join lateral public.errand_usage(t.team_id) u
    where u.members > public.errand_limit(t.team_id, 'members');
    return null;
end
$$;

create trigger memberships_usage_in_check after insert on memberships referencing new table as new_members
for each statement execute function errand_check_members();

-- Makes submits of teams that are near their limit go one by one. A team with more free places than all servers together
-- have jobs on their way has nothing to fear from submits at the same time.
create function errand_submit_begin(teams_in uuid[], margin bigint) returns void language plpgsql as $$
declare
    next_team uuid;
    most bigint;
begin
    for next_team in select distinct t from unnest(teams_in) t order by t loop
        most := errand_limit(next_team, 'queued_jobs');
        continue when most is null;
        if most - (select u.queued_jobs from errand_usage(next_team) u) < margin then
            perform errand_queue_up(next_team, 'queued_jobs');
        end if;
    end loop;
end
$$;

-- What a team may still submit: the free places of its queue (null: any number), and what forbids jobs or agents.
create function errand_submit_room(
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
    end if;
end
$$;

-- How many more jobs of a team may run, at most `wanted`, and whether its agents may not.
create function errand_run_room(
    team uuid, wanted integer, moment timestamptz, out places integer, out is_spent boolean
) language plpgsql stable as $$
declare
    most bigint := public.errand_limit(team, 'running_jobs');
begin
    places := wanted;
    is_spent := public.errand_is_spent(team, moment);
    if most is not null then
        places := greatest(least(wanted, most - (select u.running_jobs from public.errand_usage(team) u)), 0);
    end if;
end
$$;

-- The queued jobs that a worker may take, as before; a team without room takes nobody's turn.
create or replace function errand_ready(
    claimer uuid, wanted integer, moment timestamptz, team_after uuid, project_after uuid
)
returns table (job uuid, team uuid, workspace_mode text) language sql stable as $$
    with recursive team_ring as (
        (
            select j.team_id from jobs j
            where j.state = 'queued' and j.workspace = 'none' order by j.team_id limit 1
        )
        union all
        select (
            select j.team_id from jobs j
            where j.state = 'queued' and j.workspace = 'none' and j.team_id > r.team_id order by j.team_id limit 1
        )
        from team_ring r where r.team_id is not null
    ),
    project_ring as (
        (
            select j.project_id from jobs j
            where j.state = 'queued' and j.workspace = 'project' order by j.project_id limit 1
        )
        union all
        select (
            select j.project_id from jobs j
            where j.state = 'queued' and j.workspace = 'project' and j.project_id > r.project_id
            order by j.project_id limit 1
        )
        from project_ring r where r.project_id is not null
    ),
    anywhere as (
        select j.id, j.team_id, j.workspace, j.priority, j.run_at, t.places
        from (
            -- In the ring's order, and no further than there are workers' places.
            select r.team_id, m.places, m.is_spent
            from (
                select t.team_id from team_ring t where t.team_id is not null
                order by t.team_id <= team_after, t.team_id
            ) r
            cross join lateral errand_run_room(r.team_id, wanted, moment) m
            where m.places > 0
            limit wanted
        ) t
        cross join lateral (
            select * from jobs q
            where q.team_id = t.team_id and q.state = 'queued' and q.workspace = 'none' and q.run_at <= moment
                and not (t.is_spent and q.kind = 'claude')
            order by q.priority, q.run_at, q.id limit t.places
        ) j
    ),
    at_home as (
        select j.id, j.team_id, j.workspace, j.priority, j.run_at, p.places
        from (
            select r.project_id, m.places, m.is_spent
            from (
                select t.project_id from project_ring t where t.project_id is not null
                order by t.project_id <= project_after, t.project_id
            ) r
            cross join lateral (
                select h.team_id from projects h
                where h.id = r.project_id and (h.home_worker is null or h.home_worker = claimer)
                limit 1
            ) h
            cross join lateral errand_run_room(h.team_id, wanted, moment) m
            where m.places > 0
                and (
                    select busy.id from jobs busy
                    where busy.project_id = r.project_id and busy.workspace = 'project'
                        and busy.state in ('running', 'paused')
                ) is null
            limit wanted
        ) p
        cross join lateral (
            select * from jobs q
            where q.project_id = p.project_id and q.state = 'queued' and q.workspace = 'project'
                and q.run_at <= moment and not (p.is_spent and q.kind = 'claude')
            order by q.priority, q.run_at, q.id limit 1
        ) j
    ),
    lined_up as (
        select c.*, row_number() over (partition by c.team_id order by c.priority, c.run_at, c.id) as turn
        from (select * from anywhere union all select * from at_home) c
    )
    select l.id, l.team_id, l.workspace
    from lined_up l
    where l.turn <= l.places
    order by l.turn, l.team_id <= team_after, l.team_id
    limit wanted
$$;

-- Makes claims of jobs of teams that are near their limit go one by one. A claim queues up before it locks a job, and
-- waits for nothing afterwards, so nobody waits for each other.
create function errand_claim_begin(jobs_in uuid[], wanted integer, moment timestamptz) returns void
language plpgsql as $$
declare
    next_team uuid;
    most bigint;
begin
    for next_team in
        select distinct x.team_id
        from (
            select j.team_id from jobs j where j.id = any (jobs_in) order by j.id limit cardinality(jobs_in)
        ) x
        order by x.team_id
    loop
        most := errand_limit(next_team, 'running_jobs');
        continue when most is null;
        -- More than sixteen claims of as many jobs do not come at the same moment.
        if most - (select u.running_jobs from errand_usage(next_team) u) < 16::bigint * wanted then
            perform errand_queue_up(next_team, 'running_jobs');
        end if;
    end loop;
end
$$;

-- Claims jobs for a worker whose lease is current: of the candidates, or of the ready ones when there are none named;
-- as before, but no more of a team than it may run.
create or replace function errand_claim(
    candidates uuid[], claimer uuid, claimer_epoch bigint, wanted integer, moment timestamptz,
    team_after uuid, project_after uuid
) returns setof jobs language plpgsql as $$
declare
    ready uuid[];
    shortlist uuid[];
    homes uuid[];
    taken uuid[];
begin
    if not exists (
        select from workers w
        where w.id = claimer and w.epoch = claimer_epoch and w.revoked_at is null and w.lease_until > moment
    ) then
        return;
    end if;
    if candidates is null then
        ready := array(select r.job from errand_ready(claimer, wanted, moment, team_after, project_after) r);
        perform errand_claim_begin(ready, wanted, moment);
        -- How many of each team is decided without locks; which ones, past those that others hold.
        taken := array(
            select j.id
            from (
                select r.team_id, count(*) as places, errand_is_spent(r.team_id, moment) as is_spent
                from (
                    select c.team_id, c.workspace from jobs c
                    where c.id = any (ready) order by c.id limit cardinality(ready)
                ) r
                where r.workspace = 'none' group by r.team_id
            ) t
            cross join lateral (
                select q.id from jobs q
                where q.team_id = t.team_id and q.state = 'queued' and q.workspace = 'none' and q.run_at <= moment
                    and not (t.is_spent and q.kind = 'claude')
                order by q.priority, q.run_at, q.id limit t.places
                for no key update skip locked
            ) j
        );
        shortlist := array(select r.id from jobs r where r.id = any (ready) and r.workspace = 'project');
    else
        perform errand_claim_begin(candidates, wanted, moment);
        taken := array(
            select j.id from jobs j
            where j.id = any (candidates) and j.state = 'queued' and j.workspace = 'none' and j.run_at <= moment
            order by j.id limit wanted
            for no key update skip locked
        );
        shortlist := array(
            select first.id
            from (
                select distinct on (c.project_id) c.id, c.priority, c.run_at
                from (
                    select * from jobs j
                    where j.id = any (candidates) and j.state = 'queued' and j.workspace = 'project'
                        and j.run_at <= moment
                    order by j.id limit cardinality(candidates)
                ) c
                order by c.project_id, c.priority, c.run_at, c.id
            ) first
            order by first.priority, first.run_at, first.id
            limit wanted - cardinality(taken)
        );
    end if;
    if cardinality(shortlist) > 0 then
        -- The project's row stands for its workspace: who holds it decides, and sees every claim made before.
        homes := array(select distinct j.project_id from jobs j where j.id = any (shortlist));
        homes := array(
            select p.id from projects p
            where p.id = any (homes)
                and (p.home_worker is null or p.home_worker = claimer)
            order by p.id
            for no key update skip locked
        );
        taken := taken || array(
            select j.id from jobs j
            where j.id = any (shortlist) and j.project_id = any (homes) and j.state = 'queued' and j.run_at <= moment
                and (
                    select busy.id from jobs busy
                    where busy.project_id = j.project_id and busy.workspace = 'project'
                        and busy.state in ('running', 'paused')
                ) is null
            order by j.id
            for no key update skip locked
        );
    end if;
    -- All of them are locked now: what each team may run is counted once, behind those who queued up before.
    taken := array(
        select r.id
        from (
            select j.id, m.places,
                row_number() over (partition by j.team_id order by j.priority, j.run_at, j.id) as turn
            from (
                select * from jobs l where l.id = any (taken) order by l.id limit cardinality(taken)
            ) j
            join (
                select t.team_id, o.places, o.is_spent
                from (
                    select distinct x.team_id
                    from (
                        select l.team_id from jobs l where l.id = any (taken) order by l.id limit cardinality(taken)
                    ) x
                ) t
                cross join lateral errand_run_room(t.team_id, wanted, moment) o
            ) m on m.team_id = j.team_id
            where not (m.is_spent and j.kind = 'claude')
        ) r
        where r.turn <= r.places
    );
    if cardinality(shortlist) > 0 then
        update projects p set home_worker = claimer
        where p.home_worker is null and p.id = any (array(
            select j.project_id from jobs j where j.id = any (taken) and j.workspace = 'project'
        ));
    end if;
    return query
    update jobs j
    set state = 'running', attempt = j.attempt + 1, tries = j.tries + 1, worker_id = claimer,
        worker_epoch = claimer_epoch, started_at = null,
        reason = null, reason_text = null
    where j.id = any (taken)
    returning j.*;
end
$$;

-- The jobs that the queue should hear of again, as before, but for those that their teams may not run now.
create or replace function errand_sweep(
    moment timestamptz, stale_after interval, home_grace interval, wanted integer, walked_before uuid
) returns table (job uuid, team uuid, home uuid, job_priority smallint, due timestamptz, walked uuid)
language plpgsql as $$
declare
    away uuid[];
    frontier jobs;
    examined uuid[];
    firsts uuid[];
    limited uuid[];
    spent uuid[];
begin
    update jobs j set state = 'queued', dispatched_at = moment - stale_after
    where j.id = any (array(
        select d.id from jobs d where d.state = 'delayed' and d.run_at <= moment
        order by d.run_at limit wanted for no key update skip locked
    ));
    away := array(
        select w.id from workers w
        where w.revoked_at is not null or w.lease_until is null or w.lease_until < moment - home_grace
    );
    away := array(select p.id from projects p where p.home_worker = any (away));
    update jobs j
    set state = 'blocked', reason = 'home_worker_gone',
        reason_text = 'The worker that holds the project''s workspace is away.'
    where j.id = any (array(
        select q.id from jobs q
        where q.project_id = any (away) and q.state = 'queued' and q.workspace = 'project'
        order by q.project_id limit wanted for no key update skip locked
    ));
    update jobs j set state = 'queued', reason = null, reason_text = null, dispatched_at = moment - stale_after
    where j.id = any (array(
        select b.id from jobs b
        where b.state = 'blocked' and b.reason = 'home_worker_gone' and (
            select p.home_worker is null or (
                select w.revoked_at is null and w.lease_until > moment from workers w where w.id = p.home_worker
            )
            from projects p where p.id = b.project_id
        )
        order by b.project_id limit wanted for no key update skip locked
    ));
    select * into frontier from jobs j where j.id = walked_before;
    if found then
        examined := array(
            select j.id from jobs j
            where j.state = 'queued' and j.workspace = 'none'
                and (j.team_id, j.priority, j.run_at, j.id)
                    > (frontier.team_id, frontier.priority, frontier.run_at, frontier.id)
            order by j.team_id, j.priority, j.run_at, j.id limit wanted
        );
    else
        examined := array(
            select j.id from jobs j
            where j.state = 'queued' and j.workspace = 'none'
            order by j.team_id, j.priority, j.run_at, j.id limit wanted
        );
    end if;
    with recursive project_ring as (
        (
            select j.project_id from jobs j
            where j.state = 'queued' and j.workspace = 'project' order by j.project_id limit 1
        )
        union all
        select (
            select j.project_id from jobs j
            where j.state = 'queued' and j.workspace = 'project' and j.project_id > r.project_id
            order by j.project_id limit 1
        )
        from project_ring r where r.project_id is not null
    )
    select array(
        select j.id
        from project_ring r
        cross join lateral (
            select * from jobs q
            where q.project_id = r.project_id and q.state = 'queued' and q.workspace = 'project'
                and q.run_at <= moment
            order by q.priority, q.run_at, q.id limit 1
        ) j
        where j.dispatched_at <= moment - stale_after and (
            select busy.id from jobs busy
            where busy.project_id = r.project_id and busy.workspace = 'project'
                and busy.state in ('running', 'paused')
        ) is null
        limit wanted
    )
    into firsts;
    -- What a team may not run now is not hinted: the end of one of its jobs hints the next.
    select array_agg(t.team_id) filter (where m.places = 0), array_agg(t.team_id) filter (where m.is_spent)
    into limited, spent
    from (
        select distinct x.team_id
        from (
            select q.team_id from jobs q
            where q.id = any (examined || firsts) order by q.id limit cardinality(examined || firsts)
        ) x
    ) t
    cross join lateral errand_run_room(t.team_id, 1, moment) m;
    return query
    with hinted as (
        update jobs j set dispatched_at = moment
        where j.id = any (array(
            select q.id from jobs q
            where q.id = any (examined || firsts) and q.state = 'queued' and q.run_at <= moment
                and q.dispatched_at <= moment - stale_after
                and q.team_id <> all (coalesce(limited, '{}'))
                and (q.kind <> 'claude' or q.team_id <> all (coalesce(spent, '{}')))
            order by q.id for no key update skip locked
        ))
        returning j.id, j.team_id, j.project_id, j.workspace, j.priority, j.run_at
    )
    select h.id, h.team_id, case when h.workspace = 'project' then p.home_worker end, h.priority, h.run_at, null::uuid
    from hinted h left join projects p on p.id = h.project_id;
    -- A window that was not full ended at the end of the walk: the next one begins at the front.
    return query
    select null::uuid, null::uuid, null::uuid, null::smallint, null::timestamptz,
        case when cardinality(examined) >= wanted then examined[cardinality(examined)] end;
end
$$;

-- Makes room for an archive of a project's workspace before it is sent: says how many bytes it may have (null: any
-- number), `full` when it may not be that large, and what was known of the workspace before. The room is taken at once,
-- so that two archives do not share it.
create function errand_reserve_workspace(
    project uuid, wanted bigint, out verdict text, out most bigint, out before bigint
) language plpgsql security definer as $$
declare
    team uuid;
    used bigint;
begin
    select p.team_id into team from public.projects p where p.id = project and p.deleted_at is null;
    if team is null or not public.errand_reaches(current_setting('errand.scope', true), team) then
        verdict := 'unknown';
        return;
    end if;
    perform public.errand_queue_up(team, 'stored_bytes');
    before := coalesce((select s.bytes from public.workspace_sizes s where s.project_id = project), 0);
    most := public.errand_limit(team, 'stored_bytes');
    if most is not null then
        used := (select u.stored_bytes from public.errand_usage(team) u) - before;
        most := greatest(most - used, 0);
        if most = 0 or wanted > most then
            verdict := 'full';
            return;
        end if;
    end if;
    insert into public.workspace_sizes as s (project_id, team_id, bytes) values (project, team, greatest(wanted, before))
    on conflict (project_id) do update set bytes = excluded.bytes;
    verdict := 'reserved';
end
$$;

-- Notes how large the archive was that arrived, or what was there before when none did.
create function errand_settle_workspace(project uuid, size bigint) returns void
language plpgsql security definer as $$
begin
    update public.workspace_sizes s set bytes = greatest(size, 0)
    where s.project_id = project and public.errand_reaches(current_setting('errand.scope', true), s.team_id);
end
$$;

-- What was there before there was anybody who counted.
insert into team_usage (team_id, queued_jobs, running_jobs, stored_bytes, projects, members)
select t.id,
    (select count(*) from jobs j where j.team_id = t.id and j.state in ('delayed', 'queued', 'blocked')),
    (select count(*) from jobs j where j.team_id = t.id and j.state in ('running', 'paused')),
    (select coalesce(sum(j.log_bytes), 0) from jobs j where j.team_id = t.id),
    (select count(*) from projects p where p.team_id = t.id and p.deleted_at is null),
    (select count(*) from memberships m where m.team_id = t.id)
from teams t;

revoke execute on function
    errand_back_off(integer, integer, integer), errand_login_begin(bytea, bytea, boolean, timestamptz),
    errand_login_end(bytea, bytea, boolean, timestamptz, boolean), errand_login_prune(timestamptz, integer),
    errand_usage(uuid), errand_limit(uuid, text), errand_is_spent(uuid, timestamptz), errand_queue_up(uuid, text),
    errand_reset_quota(uuid, text),
    errand_fold_usage(timestamptz, integer), errand_count_team(), errand_count_jobs(), errand_count_projects(),
    errand_count_members(), errand_count_workspaces(), errand_refuse_quota(text), errand_admit_project(),
    errand_admit_member(), errand_check_projects(), errand_check_members(), errand_submit_begin(uuid[], bigint),
    errand_submit_room(uuid, timestamptz), errand_run_room(uuid, integer, timestamptz),
    errand_claim_begin(uuid[], integer, timestamptz), errand_reserve_workspace(uuid, bigint),
    errand_settle_workspace(uuid, bigint)
from public;
grant execute on function
    errand_back_off(integer, integer, integer), errand_login_begin(bytea, bytea, boolean, timestamptz),
    errand_login_end(bytea, bytea, boolean, timestamptz, boolean), errand_login_prune(timestamptz, integer),
    errand_usage(uuid), errand_limit(uuid, text), errand_is_spent(uuid, timestamptz), errand_queue_up(uuid, text),
    errand_reset_quota(uuid, text),
    errand_fold_usage(timestamptz, integer), errand_submit_begin(uuid[], bigint), errand_submit_room(uuid, timestamptz),
    errand_run_room(uuid, integer, timestamptz), errand_claim_begin(uuid[], integer, timestamptz),
    errand_reserve_workspace(uuid, bigint), errand_settle_workspace(uuid, bigint)
to errand_app;

alter table login_failures enable row level security, force row level security;
alter table login_places enable row level security, force row level security;
alter table quota_defaults enable row level security, force row level security;
alter table team_quotas enable row level security, force row level security;
alter table team_usage enable row level security, force row level security;
alter table team_usage_changes enable row level security, force row level security;
alter table workspace_sizes enable row level security, force row level security;
alter table team_spend enable row level security, force row level security;

create policy system_scope on login_failures to errand_app, errand_owner
    using ((select current_setting('errand.scope', true)) = 'system');
create policy system_scope on login_places to errand_app, errand_owner
    using ((select current_setting('errand.scope', true)) = 'system');
create policy system_scope on quota_defaults to errand_app, errand_owner
    using ((select current_setting('errand.scope', true)) = 'system');
create policy system_scope on team_quotas to errand_app, errand_owner
    using ((select current_setting('errand.scope', true)) = 'system');
create policy system_scope on team_usage to errand_app, errand_owner
    using ((select current_setting('errand.scope', true)) = 'system');
create policy system_scope on team_usage_changes to errand_app, errand_owner
    using ((select current_setting('errand.scope', true)) = 'system');
create policy system_scope on workspace_sizes to errand_app, errand_owner
    using ((select current_setting('errand.scope', true)) = 'system');
create policy system_scope on team_spend to errand_app, errand_owner
    using ((select current_setting('errand.scope', true)) = 'system');

-- What an installation grants everybody is no secret; the rest is for the team to read and for nobody to write.
create policy everybody on quota_defaults for select to errand_app using (true);
create policy own_teams on team_quotas for select to errand_app using (team_id = any ((select errand_teams())::uuid[]));
create policy own_teams on team_usage for select to errand_app using (team_id = any ((select errand_teams())::uuid[]));
create policy own_teams on team_usage_changes for select to errand_app
    using (team_id = any ((select errand_teams())::uuid[]));
create policy own_teams on team_spend for select to errand_app using (team_id = any ((select errand_teams())::uuid[]));
create policy own_teams on workspace_sizes for select to errand_app
    using (team_id = any ((select errand_teams())::uuid[]));

-- The functions that count and refuse run as the owner, in whatever scope the act has; nobody else is the owner.
create policy counting on quota_defaults for select to errand_owner using (true);
create policy counting on team_quotas for select to errand_owner using (true);
create policy counting on team_spend for select to errand_owner using (true);
create policy counting on projects for select to errand_owner using (true);
create policy counting on team_usage to errand_owner using (true) with check (true);
create policy counting on team_usage_changes to errand_owner using (true) with check (true);
create policy counting on workspace_sizes to errand_owner using (true) with check (true);

grant select, insert, update, delete on login_failures, login_places to errand_app;
grant select, update on quota_defaults to errand_app;
grant select, insert, update, delete on team_quotas to errand_app;
grant select, update on team_usage to errand_app;
grant select on workspace_sizes to errand_app;
grant select, update, delete on team_usage_changes to errand_app;
grant select, insert, update, delete on team_spend to errand_app;
