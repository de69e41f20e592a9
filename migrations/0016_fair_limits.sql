-- Limits that bind their own team alone: whoever may not run now takes nobody's place, and nobody overruns a limit that
-- two look at. Failed sign-ins leave rows only where a try was let through, and no wait outlives its length.

set local errand.scope = 'system';

-- What each of some teams may run now: how many more jobs, at most `wanted`, and whether its agents may not.
create function errand_rooms(teams_in uuid[], wanted integer, moment timestamptz)
returns table (team uuid, places integer, is_spent boolean) language plpgsql stable as $$
declare
    most_running bigint := (select d.value from public.quota_defaults d where d.name = 'running_jobs');
    most_spend bigint := (select d.value from public.quota_defaults d where d.name = 'spend_per_day');
begin
    return query
    select t.id,
        case
            when l.running is null then wanted
            else greatest(least(wanted, l.running - (select u.running_jobs from public.errand_usage(t.id) u)), 0)::integer
        end,
        case
            when l.spend is null then false
            else coalesce((
                select s.micro_usd from public.team_spend s
                where s.team_id = t.id and s.day = (moment at time zone 'utc')::date
            ), 0) >= l.spend
        end
    from (select distinct u.id from unnest(teams_in) u (id)) t
    left join lateral (
        select true as is_own, q.value from public.team_quotas q
        where q.team_id = t.id and q.name = 'running_jobs' limit 1
    ) own_running on true
    left join lateral (
        select true as is_own, q.value from public.team_quotas q
        where q.team_id = t.id and q.name = 'spend_per_day' limit 1
    ) own_spend on true
    cross join lateral (
        select case when own_running.is_own then own_running.value else most_running end as running,
            case when own_spend.is_own then own_spend.value else most_spend end as spend
    ) l;
end
$$;

-- The first job of a project's workspace that may run: of a team that has spent its day's money, the first that is no
-- agent. Whoever looks for the next job of a workspace looks here.
create function errand_first_of(project uuid, moment timestamptz, is_spent boolean) returns setof jobs
language sql stable as $$
    select * from jobs q
    where q.project_id = project and q.state = 'queued' and q.workspace = 'project' and q.run_at <= moment
        and (q.kind <> 'claude' or not is_spent)
    order by q.priority, q.run_at, q.id limit 1
$$;

-- Lets those who take of one thing of one team in together as long as the team has `margin` left, and one by one from
-- then on (always when there is no margin). Whoever is let in alone has waited for all that looked before, so that no
-- two see the same last place.
create function errand_line_up(team uuid, quota text, margin bigint) returns void language plpgsql as $$
declare
    most bigint := errand_limit(team, quota);
begin
    if most is null then return; end if;
    if most - errand_used_jobs(team, quota) >= margin then
        begin
            perform pg_advisory_xact_lock_shared(hashtext('errand quota ' || quota), hashtext(team::text));
            if most - errand_used_jobs(team, quota) >= margin then return; end if;
            raise exception 'less is left than before the wait' using errcode = 'EQ002';
        exception when sqlstate 'EQ002' then
            -- The shared lock went with the block; two that hold it could not both get the other one.
            null;
        end;
    end if;
    perform errand_queue_up(team, quota);
end
$$;

-- How many jobs of a team count for a quota.
create function errand_used_jobs(team uuid, quota text) returns bigint language plpgsql stable as $$
begin
    return (
        select case quota when 'running_jobs' then u.running_jobs else u.queued_jobs end
        from errand_usage(team) u
    );
end
$$;

-- Makes submits of teams that are near their limit go one by one.
create or replace function errand_submit_begin(teams_in uuid[], margin bigint) returns void language plpgsql as $$
declare
    next_team uuid;
begin
    for next_team in select distinct t from unnest(teams_in) t order by t loop
        perform errand_line_up(next_team, 'queued_jobs', margin);
    end loop;
end
$$;

-- Makes claims of jobs of teams that are near their limit go one by one. A claim queues up before it locks a job, and
-- waits for nothing afterwards, so nobody waits for each other.
create or replace function errand_claim_begin(jobs_in uuid[], wanted integer, moment timestamptz) returns void
language plpgsql as $$
declare
    next_team uuid;
    share bigint;
begin
    for next_team, share in
        select x.team_id, least(count(*), wanted)
        from (
            select j.team_id from jobs j where j.id = any (jobs_in) order by j.id limit cardinality(jobs_in)
        ) x
        group by x.team_id
        order by x.team_id
    loop
        -- Of small claims of one team, 32 may be on their way at the same moment; a large one goes alone.
        perform errand_line_up(next_team, 'running_jobs', case when share <= 16 then 512 end);
    end loop;
end
$$;

-- The queued jobs that a worker may take, in fair order: teams take turns, beginning after the team served last, and
-- within a team priority, time and id decide. A team, or a project, of which nothing may run now takes nobody's turn.
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
    homes as materialized (
        select h.id, h.team_id
        from project_ring r
        cross join lateral (
            select p.id, p.team_id from projects p
            where p.id = r.project_id and (p.home_worker is null or p.home_worker = claimer)
            limit 1
        ) h
    ),
    rooms as materialized (
        select m.*
        from errand_rooms(
            array(select t.team_id from team_ring t where t.team_id is not null union all select h.team_id from homes h),
            wanted, moment
        ) m
    ),
    anywhere as (
        select j.id, j.team_id, j.workspace, j.priority, j.run_at, t.places
        from (
            -- In the ring's order, and no further than there are workers' places.
            select r.team, r.places, r.is_spent
            from (select * from rooms m where m.places > 0 order by m.team <= team_after, m.team) r
            cross join lateral (
                select from jobs q
                where q.team_id = r.team and q.state = 'queued' and q.workspace = 'none' and q.run_at <= moment
                    and not (r.is_spent and q.kind = 'claude')
                order by q.priority, q.run_at, q.id limit 1
            ) first
            limit wanted
        ) t
        cross join lateral (
            select * from jobs q
            where q.team_id = t.team and q.state = 'queued' and q.workspace = 'none' and q.run_at <= moment
                and not (t.is_spent and q.kind = 'claude')
            order by q.priority, q.run_at, q.id limit t.places
        ) j
    ),
    at_home as (
        select j.id, j.team_id, j.workspace, j.priority, j.run_at,
            (select m.places from rooms m where m.team = j.team_id) as places
        from (
            select h.id, h.team_id = any (array(select m.team from rooms m where m.is_spent)) as is_spent
            from homes h
            where h.team_id <> all (array(select m.team from rooms m where m.places = 0))
            order by h.id <= project_after, h.id
        ) p
        cross join lateral errand_first_of(p.id, moment, p.is_spent) j
        where (
            select busy.id from jobs busy
            where busy.project_id = p.id and busy.workspace = 'project' and busy.state in ('running', 'paused')
        ) is null
        limit wanted
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

-- Claims jobs for a worker whose lease is current: of the candidates, or of the ready ones when there are none named;
-- no more of a team than it may run.
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
        -- What may not run is left out before the places are given: of each workspace all but the first that may run,
        -- and of each team what it has no room for.
        ready := array(
            with named as materialized (
                select * from jobs j
                where j.id = any (candidates) and j.state = 'queued' and j.run_at <= moment
                order by j.id limit cardinality(candidates)
            )
            select f.id
            from (
                select n.id, n.places,
                    row_number() over (partition by n.team_id order by n.priority, n.run_at, n.id) as turn
                from (
                    select c.*, m.places,
                        row_number() over (
                            partition by c.workspace, c.project_id order by c.priority, c.run_at, c.id
                        ) as place_in_line
                    from named c
                    join errand_rooms(array(select o.team_id from named o), cardinality(candidates), moment) m
                        on m.team = c.team_id
                    where not (m.is_spent and c.kind = 'claude')
                ) n
                where n.workspace = 'none' or n.place_in_line = 1
            ) f
            where f.turn <= f.places
        );
        taken := array(
            select j.id from jobs j
            where j.id = any (ready) and j.state = 'queued' and j.workspace = 'none' and j.run_at <= moment
            order by j.id limit wanted
            for no key update skip locked
        );
        shortlist := array(
            select first.id
            from (
                select * from jobs j
                where j.id = any (ready) and j.workspace = 'project' order by j.id limit cardinality(ready)
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
    -- All of them are locked now: what each team may run is counted once more, behind those who queued up before.
    taken := array(
        with held as materialized (
            select * from jobs l where l.id = any (taken) order by l.id limit cardinality(taken)
        )
        select r.id
        from (
            select j.id, m.places,
                row_number() over (partition by j.team_id order by j.priority, j.run_at, j.id) as turn
            from held j
            join errand_rooms(array(select h.team_id from held h), wanted, moment) m on m.team = j.team_id
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

drop function errand_run_room(uuid, integer, timestamptz);

-- The jobs that the queue should hear of again: due delays, jobs whose home came back, and due jobs whose hint is old;
-- not those that their teams may not run now, whose places others get.
-- Of a project's workspace only the first job that may run is hinted, and none while one runs: the end of that one hints
-- the next. Jobs that run anywhere are walked a window at a time, beginning behind `walked_before`; the last row tells
-- how far.
create or replace function errand_sweep(
    moment timestamptz, stale_after interval, home_grace interval, wanted integer, walked_before uuid
) returns table (job uuid, team uuid, home uuid, job_priority smallint, due timestamptz, walked uuid)
language plpgsql as $$
declare
    away uuid[];
    frontier jobs;
    examined uuid[];
    ring uuid[];
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
    ring := array(
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
        select r.project_id from project_ring r where r.project_id is not null
    );
    -- Decided before the window is cut: a team whose jobs stay where they are would fill it at every sweep.
    select coalesce(array_agg(m.team) filter (where m.places = 0), '{}'),
        coalesce(array_agg(m.team) filter (where m.is_spent), '{}')
    into limited, spent
    from errand_rooms(
        array(
            select p.team_id from projects p where p.id = any (ring)
            union all
            select x.team_id
            from (
                select q.team_id from jobs q where q.id = any (examined) order by q.id limit cardinality(examined)
            ) x
        ),
        1, moment
    ) m;
    firsts := array(
        select j.id
        from (
            select p.id, p.team_id = any (spent) as is_spent
            from projects p
            where p.id = any (ring) and p.team_id <> all (limited)
            order by p.id
        ) r
        cross join lateral errand_first_of(r.id, moment, r.is_spent) j
        where j.dispatched_at <= moment - stale_after and (
            select busy.id from jobs busy
            where busy.project_id = r.id and busy.workspace = 'project' and busy.state in ('running', 'paused')
        ) is null
        limit wanted
    );
    return query
    with hinted as (
        update jobs j set dispatched_at = moment
        where j.id = any (array(
            select q.id from jobs q
            where q.id = any (examined || firsts) and q.state = 'queued' and q.run_at <= moment
                and q.dispatched_at <= moment - stale_after
                and q.team_id <> all (limited)
                and (q.kind <> 'claude' or q.team_id <> all (spent))
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

-- How each kind of counter of failed sign-ins grows: the failure that begins the back-off, its longest wait in seconds,
-- how long a counter without failures is remembered, and below how many failures that is an hour.
create function errand_login_rules()
returns table (kind text, first integer, longest integer, memory interval, few integer) language sql immutable as $$
    values
        -- A person mistypes; a guesser at one place gets a try a minute.
        ('pair', 5, 60, interval '1 day', 3),
        -- Who guesses from many places gets one in five minutes, after the hundred that NIST allows. Nine an hour are
        -- fewer than that.
        ('account', 100, 300, interval '1 day', 10),
        -- An office mistypes; who tries one password on many accounts gets a try a minute.
        ('place', 20, 60, interval '1 hour', 20)
$$;

-- What is rare and young enough to be forgotten after an hour; the condition names `errand_login_rules`' numbers.
create index login_failures_few on login_failures (last_at)
where failures < case when place = '' then 10 when account = '' then 20 else 3 end;

-- Who is to wait the longest of the counters that a try is held to; nobody when it may be judged.
create function errand_login_wait(
    tried bytea, place_of bytea, is_device boolean, moment timestamptz,
    out binding_account bytea, out binding_place bytea, out until timestamptz, out is_first boolean
) language plpgsql stable as $$
begin
    select f.account, f.place, f.blocked_until, f.told_until is distinct from f.blocked_until
    into binding_account, binding_place, until, is_first
    from login_failures f
    where (
            f.account = tried and f.place = place_of
            -- A place where the account was signed in to does not wait for the account.
            or not is_device and f.account = tried and f.place = '' and not exists (
                select from login_places p
                where p.account = tried and p.place = place_of and p.last_at > moment - interval '90 days'
            )
            or not is_device and f.account = '' and f.place = place_of
        )
        and f.blocked_until > moment and f.last_at <= moment + interval '1 minute'
    order by f.blocked_until desc limit 1;
end
$$;

-- Counts a try in advance, or says how long it has to wait: then nothing is counted, and no row is made. `is_first`
-- marks the first refusal of a block.
--
-- A device that proved itself answers for itself alone: no stranger can make it wait. All others wait for the account at
-- their place; for their place; and for the account everywhere, unless it was signed in to from there.
create function errand_login_try(
    tried bytea, place_of bytea, is_device boolean, moment timestamptz,
    out wait_until timestamptz, out is_first boolean
) language plpgsql as $$
declare
    refusal record;
    counter record;
    at_pair integer := 0;
begin
    is_first := false;
    select * into refusal from errand_login_wait(tried, place_of, is_device, moment);
    if refusal.until is null then
        insert into login_failures (account, place, failures, last_at)
        select c.account, c.place, 0, moment
        from (values (tried, place_of, true), (tried, '', not is_device), ('', place_of, not is_device)) c (
            account, place, counts
        )
        where c.counts
        on conflict (account, place) do nothing;
        -- In one order for everybody: the pair, the account, the place.
        perform from login_failures f
        where f.account = tried and f.place = place_of
            or not is_device and (f.account = tried and f.place = '' or f.account = '' and f.place = place_of)
        order by f.account = '', f.place = ''
        for no key update;
        -- The clock was set back since: what is left of a wait is counted from now. Servers, and tries that overtake each
        -- other, differ by less than this.
        update login_failures f
        set last_at = moment, blocked_until = moment + (f.blocked_until - f.last_at),
            told_until = case when f.told_until = f.blocked_until then moment + (f.blocked_until - f.last_at) end
        where f.last_at > moment + interval '1 minute' and (
            f.account = tried and f.place = place_of
            or not is_device and (f.account = tried and f.place = '' or f.account = '' and f.place = place_of)
        );
        select * into refusal from errand_login_wait(tried, place_of, is_device, moment);
    end if;
    if refusal.until is not null then
        wait_until := refusal.until;
        if refusal.is_first then
            update login_failures f set told_until = f.blocked_until
            where f.account = refusal.binding_account and f.place = refusal.binding_place
                and f.blocked_until = refusal.until and f.told_until is distinct from f.blocked_until;
            is_first := found;
        end if;
        return;
    end if;
    for counter in
        select l.account, l.place, k.kind, k.first, k.longest,
            case
                when l.last_at < moment - case when l.failures < k.few then interval '1 hour' else k.memory end then 1
                else least(l.failures, 1000000) + 1
            end as failures
        from login_failures l
        cross join errand_login_rules() k
        where k.kind = case when l.place = '' then 'account' when l.account = '' then 'place' else 'pair' end and (
            l.account = tried and l.place = place_of
            or not is_device and (l.account = tried and l.place = '' or l.account = '' and l.place = place_of)
        )
        order by l.account = '', l.place = ''
    loop
        if counter.kind = 'pair' then at_pair := counter.failures; end if;
        -- One place adds no more than this to what the others wait for, however long it goes on.
        continue when counter.kind = 'account' and at_pair > 10;
        update login_failures f
        set failures = counter.failures, last_at = moment,
            blocked_until = moment + errand_back_off(counter.failures, counter.first, counter.longest)
        where f.account = counter.account and f.place = counter.place;
    end loop;
end
$$;

drop function errand_login_begin(bytea, bytea, boolean, timestamptz);

-- Takes back what a try was counted in advance: it was right, or it was never judged.
create or replace function errand_login_end(
    tried bytea, place_of bytea, is_device boolean, begun timestamptz, is_right boolean
) returns void language plpgsql as $$
declare
    at_pair integer;
begin
    perform from login_failures f
    where f.account = tried and f.place = place_of
        or not is_device and (f.account = tried and f.place = '' or f.account = '' and f.place = place_of)
    order by f.account = '', f.place = ''
    for no key update;
    at_pair := (select f.failures from login_failures f where f.account = tried and f.place = place_of);
    -- A block that this very try began ends with it; one that a later try began stays. What the account was not counted
    -- is not taken from it.
    update login_failures f
    set failures = greatest(f.failures - 1, 0),
        blocked_until = case when f.last_at = begun then null else f.blocked_until end
    where f.account = tried and f.place = place_of
        or not is_device and (
            f.account = tried and f.place = '' and coalesce(at_pair <= 10, true)
            or f.account = '' and f.place = place_of
        );
    if is_right then
        delete from login_failures f where f.account = tried and f.place = place_of;
        if not is_device then
            insert into login_places as p (account, place, last_at) values (tried, place_of, begun)
            on conflict (account, place) do update set last_at = greatest(p.last_at, excluded.last_at);
        end if;
    end if;
end
$$;

-- Forgets what no longer counts, up to `wanted` of each sort; says how many of the sort that had most.
drop function errand_login_prune(timestamptz, integer);
create function errand_login_prune(moment timestamptz, wanted integer) returns bigint language plpgsql as $$
declare
    most bigint := 0;
    removed bigint;
begin
    delete from login_failures f
    where f.ctid = any (array(
        select o.ctid from login_failures o where o.last_at < moment - interval '1 day'
        order by o.last_at limit wanted for update skip locked
    ));
    get diagnostics removed = row_count;
    most := greatest(most, removed);
    delete from login_failures f
    where f.ctid = any (array(
        select o.ctid from login_failures o
        where o.last_at < moment - interval '1 hour'
            and o.failures < case when o.place = '' then 10 when o.account = '' then 20 else 3 end
        order by o.last_at limit wanted for update skip locked
    ));
    get diagnostics removed = row_count;
    most := greatest(most, removed);
    delete from login_places p
    where p.ctid = any (array(
        select o.ctid from login_places o where o.last_at < moment - interval '90 days'
        order by o.last_at limit wanted for update skip locked
    ));
    get diagnostics removed = row_count;
    return greatest(most, removed);
end
$$;

revoke execute on function
    errand_rooms(uuid[], integer, timestamptz), errand_first_of(uuid, timestamptz, boolean),
    errand_line_up(uuid, text, bigint), errand_used_jobs(uuid, text), errand_login_rules(),
    errand_login_wait(bytea, bytea, boolean, timestamptz), errand_login_try(bytea, bytea, boolean, timestamptz),
    errand_login_prune(timestamptz, integer)
from public;
grant execute on function
    errand_rooms(uuid[], integer, timestamptz), errand_first_of(uuid, timestamptz, boolean),
    errand_line_up(uuid, text, bigint), errand_used_jobs(uuid, text), errand_login_rules(),
    errand_login_wait(bytea, bytea, boolean, timestamptz), errand_login_try(bytea, bytea, boolean, timestamptz),
    errand_login_prune(timestamptz, integer)
to errand_app;
