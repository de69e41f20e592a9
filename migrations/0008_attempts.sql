-- Attempts: claim, finish, reap and sweep, where reading, deciding and writing happen under one lock.
--
-- Each statement of a PL/pgSQL function sees what was committed before it began; so each of these functions locks first
-- and looks afterwards. Rows are locked in id order or skipped when locked, so two calls cannot wait for each other.

-- The queued jobs that a worker may take, in fair order: teams take turns, beginning after the team served last, and
-- within a team priority, time and id decide. Jobs that share a workspace stand for their project one at a time.
create function errand_ready(claimer uuid, wanted integer, moment timestamptz, team_after uuid, project_after uuid)
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
        select j.id, j.team_id, j.workspace, j.priority, j.run_at
        from (
            select r.team_id from team_ring r where r.team_id is not null
            order by r.team_id <= team_after, r.team_id limit wanted
        ) t
        cross join lateral (
            select * from jobs q
            where q.team_id = t.team_id and q.state = 'queued' and q.workspace = 'none' and q.run_at <= moment
            order by q.priority, q.run_at, q.id limit wanted
        ) j
    ),
    at_home as (
        select j.id, j.team_id, j.workspace, j.priority, j.run_at
        from (
            select r.project_id from project_ring r
            where (
                    select p.home_worker is null or p.home_worker = claimer
                    from projects p where p.id = r.project_id
                )
                and (
                    select busy.id from jobs busy
                    where busy.project_id = r.project_id and busy.workspace = 'project'
                        and busy.state in ('running', 'paused')
                ) is null
            order by r.project_id <= project_after, r.project_id limit wanted
        ) p
        cross join lateral (
            select * from jobs q
            where q.project_id = p.project_id and q.state = 'queued' and q.workspace = 'project'
                and q.run_at <= moment
            order by q.priority, q.run_at, q.id limit 1
        ) j
    ),
    lined_up as (
        select c.*, row_number() over (partition by c.team_id order by c.priority, c.run_at, c.id) as turn
        from (select * from anywhere union all select * from at_home) c
    )
    select l.id, l.team_id, l.workspace
    from lined_up l
    order by l.turn, l.team_id <= team_after, l.team_id
    limit wanted
$$;

-- Claims jobs for a worker whose lease is current: of the candidates, or of the ready ones when there are none named.
create function errand_claim(
    candidates uuid[], claimer uuid, claimer_epoch bigint, wanted integer, moment timestamptz,
    team_after uuid, project_after uuid
) returns setof jobs language plpgsql as $$
declare
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
        -- How many of each team is decided without locks; which ones, past those that others hold.
        with ready as materialized (
            select * from errand_ready(claimer, wanted, moment, team_after, project_after)
        )
        select
            array(
                select j.id
                from (
                    select r.team, count(*) as places from ready r where r.workspace_mode = 'none' group by r.team
                ) t
                cross join lateral (
                    select q.id from jobs q
                    where q.team_id = t.team and q.state = 'queued' and q.workspace = 'none' and q.run_at <= moment
                    order by q.priority, q.run_at, q.id limit t.places
                    for no key update skip locked
                ) j
            ),
            array(select r.job from ready r where r.workspace_mode = 'project')
        into taken, shortlist;
    else
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
        shortlist := array(
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
        homes := array(select j.project_id from jobs j where j.id = any (shortlist));
        update projects p set home_worker = claimer where p.home_worker is null and p.id = any (homes);
        taken := taken || shortlist;
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

-- Ends attempts. The verdicts: `ended` (written now, maybe back to the queue), `repeated` (written before by the same
-- report), `log_missing` (the log's durable end is another one) and `stale`.
create function errand_finish(
    jobs_in uuid[], attempts_in integer[], states text[], reasons text[], reason_texts text[], results text[],
    last_seqs bigint[], log_sizes bigint[], digests bytea[], starts boolean[], moment timestamptz
) returns table (nth bigint, verdict text, job jobs) language plpgsql as $$
#variable_conflict use_column
begin
    perform from jobs j where j.id = any (jobs_in) order by j.id for no key update;
    return query
    with report as (
        select r.*
        from unnest(
            jobs_in, attempts_in, states, reasons, reason_texts, results, last_seqs, log_sizes, digests, starts
        ) with ordinality as r (
            id, attempt, state, reason, reason_text, result, last_seq, log_size, digest, did_start, nth
        )
    ),
    judged as (
        select r.*,
            case
                when j.id is null or j.attempt <> r.attempt then 'stale'
                -- What is paused cannot have succeeded.
                when j.state = 'running' or j.state = 'paused' and r.state <> 'succeeded' then case
                    when r.last_seq = coalesce((
                        select o.last_seq from job_output o
                        where o.job_id = r.id and o.attempt = r.attempt
                        order by o.first_seq desc limit 1
                    ), 0) then 'ended'
                    else 'log_missing'
                end
                when j.state = r.state and j.log_last_seq = r.last_seq and j.log_sha256 = r.digest then 'repeated'
                else 'stale'
            end as verdict,
            j.tries - (not r.did_start)::integer as counted,
            -- Another try is for what may go otherwise next time. Claims that never began are not counted, yet bounded.
            r.state in ('failed', 'timed_out') and j.cancel_requested_at is null
                and coalesce(r.reason, '') not in (
                    'cancelled_by_user', 'sandbox_refused', 'agent_missing', 'auth_failed', 'limit_reached'
                )
                and j.tries - (not r.did_start)::integer < j.max_attempts
                and j.attempt < j.max_attempts + 3 as again
        from report r left join jobs j on j.id = r.id
    ),
    ended as (
        update jobs j
        set state = case when v.again then 'queued' else v.state end,
            reason = v.reason,
            reason_text = v.reason_text,
            tries = greatest(v.counted, 0),
            worker_id = case when v.again then null else j.worker_id end,
            worker_epoch = case when v.again then null else j.worker_epoch end,
            started_at = case when v.again then null else j.started_at end,
            finished_at = case when v.again then null else moment end,
            -- 2, 4, 8 … seconds, at most a minute.
            run_at = case when v.again then moment + make_interval(secs => least(60, 1 << j.attempt)) else j.run_at end,
            dispatched_at = case when v.again then moment else j.dispatched_at end,
            result = case when v.again then null else v.result::json end,
            log_last_seq = case when v.again then null else v.last_seq end,
            log_bytes = case when v.again then null else v.log_size end,
            log_sha256 = case when v.again then null else v.digest end
        from judged v
        where j.id = any (jobs_in) and j.id = v.id and v.verdict = 'ended'
        returning v.nth, j as job
    )
    select e.nth, 'ended', e.job from ended e
    union all
    select v.nth, v.verdict, (select j from jobs j where j.id = v.id and v.verdict = 'repeated')
    from judged v where v.verdict <> 'ended'
    order by 1;
end
$$;

-- Takes the running jobs of workers whose lease is over: cancelled when that was asked for, else queued again while
-- tries are left, else failed. `home` is the placement of those that are queued.
create function errand_reap(moment timestamptz, wanted integer)
returns table (job jobs, home uuid) language plpgsql as $$
declare
    lost uuid[];
begin
    lost := array(
        select j.id from jobs j
        where j.state in ('running', 'paused') and (
            select w.id from workers w
            where w.id = j.worker_id and w.epoch = j.worker_epoch and w.lease_until >= moment
        ) is null
        limit wanted
        for no key update skip locked
    );
    return query
    with reaped as (
        update jobs j
        set state = case
                when j.cancel_requested_at is not null then 'cancelled'
                when j.tries < j.max_attempts then 'queued'
                else 'failed'
            end,
            reason = case when j.cancel_requested_at is not null then 'cancelled_by_user' else 'worker_lost' end,
            reason_text = case
                when j.cancel_requested_at is not null then 'It was cancelled; its worker went away before it said so.'
                else 'The worker that ran it went away.'
            end,
            finished_at = case
                when j.cancel_requested_at is null and j.tries < j.max_attempts then null else moment
            end,
            worker_id = case
                when j.cancel_requested_at is null and j.tries < j.max_attempts then null else j.worker_id
            end,
            worker_epoch = case
                when j.cancel_requested_at is null and j.tries < j.max_attempts then null else j.worker_epoch
            end,
            started_at = case
                when j.cancel_requested_at is null and j.tries < j.max_attempts then null else j.started_at
            end,
            dispatched_at = moment
        where j.id = any (lost)
        returning j as job
    )
    select r.job, case when (r.job).workspace = 'project' then p.home_worker end
    from reaped r left join projects p on p.id = (r.job).project_id;
end
$$;

-- The jobs that the queue should hear of again: due delays, jobs whose home came back, and due jobs whose hint is old.
-- Of a project's workspace only the first job is hinted, and none while one runs: the end of that one hints the next.
-- Jobs that run anywhere are walked a window at a time, beginning behind `walked_before`; the last row tells how far.
create function errand_sweep(
    moment timestamptz, stale_after interval, home_grace interval, wanted integer, walked_before uuid
) returns table (job uuid, team uuid, home uuid, job_priority smallint, due timestamptz, walked uuid)
language plpgsql as $$
declare
    away uuid[];
    frontier jobs;
    examined uuid[];
    firsts uuid[];
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
    return query
    with hinted as (
        update jobs j set dispatched_at = moment
        where j.id = any (array(
            select q.id from jobs q
            where q.id = any (examined || firsts) and q.state = 'queued' and q.run_at <= moment
                and q.dispatched_at <= moment - stale_after
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

-- The queued jobs behind one of them, in a fixed order, for the rebuild of a lost queue: first those that run anywhere.
create function errand_queued(behind uuid, wanted integer)
returns table (job uuid, team uuid, home uuid, job_priority smallint, due timestamptz) language plpgsql as $$
declare
    frontier jobs;
    found_ids uuid[] := '{}';
    lowest constant uuid := '00000000-0000-0000-0000-000000000000';
begin
    select * into frontier from jobs j where j.id = behind;
    if not found then
        frontier.workspace := 'none';
        frontier.team_id := lowest;
        frontier.priority := 0;
        frontier.run_at := '-infinity';
        frontier.id := lowest;
    end if;
    if frontier.workspace = 'none' then
        found_ids := array(
            select j.id from jobs j
            where j.state = 'queued' and j.workspace = 'none'
                and (j.team_id, j.priority, j.run_at, j.id)
                    > (frontier.team_id, frontier.priority, frontier.run_at, frontier.id)
            order by j.team_id, j.priority, j.run_at, j.id limit wanted
        );
        frontier.project_id := lowest;
    end if;
    found_ids := found_ids || array(
        select j.id from jobs j
        where j.state = 'queued' and j.workspace = 'project'
            and (j.project_id, j.priority, j.run_at, j.id)
                > (frontier.project_id, frontier.priority, frontier.run_at, frontier.id)
        order by j.project_id, j.priority, j.run_at, j.id limit wanted - cardinality(found_ids)
    );
    return query
    select j.id, j.team_id, case when j.workspace = 'project' then p.home_worker end, j.priority, j.run_at
    from unnest(found_ids) with ordinality as f (id, nth)
    left join jobs j on j.id = f.id
    left join projects p on p.id = j.project_id
    order by f.nth;
end
$$;

-- Forgets what has served its time: a bounded number of each per call.
create function errand_expire(moment timestamptz, wanted integer) returns void language plpgsql as $$
begin
    delete from idempotency_keys k
    where k.ctid = any (array(
        select o.ctid from idempotency_keys o where o.created_at < moment - interval '48 hours'
        order by o.created_at limit wanted for update skip locked
    ));
    delete from stream_tickets t
    where t.ctid = any (array(
        select o.ctid from stream_tickets o where o.expires_at < moment
        order by o.expires_at limit wanted for update skip locked
    ));
    delete from sign_ins s
    where s.ctid = any (array(
        select o.ctid from sign_ins o where o.expires_at < moment - interval '30 days'
        order by o.expires_at limit wanted for update skip locked
    ));
end
$$;

revoke execute on function errand_ready(uuid, integer, timestamptz, uuid, uuid) from public;
revoke execute on function errand_claim(uuid[], uuid, bigint, integer, timestamptz, uuid, uuid) from public;
revoke execute on function errand_finish(
    uuid[], integer[], text[], text[], text[], text[], bigint[], bigint[], bytea[], boolean[], timestamptz
) from public;
revoke execute on function errand_reap(timestamptz, integer) from public;
revoke execute on function errand_sweep(timestamptz, interval, interval, integer, uuid) from public;
revoke execute on function errand_queued(uuid, integer) from public;
revoke execute on function errand_expire(timestamptz, integer) from public;
grant execute on function errand_ready(uuid, integer, timestamptz, uuid, uuid) to errand_app;
grant execute on function errand_claim(uuid[], uuid, bigint, integer, timestamptz, uuid, uuid) to errand_app;
grant execute on function errand_finish(
    uuid[], integer[], text[], text[], text[], text[], bigint[], bigint[], bytea[], boolean[], timestamptz
) to errand_app;
grant execute on function errand_reap(timestamptz, integer) to errand_app;
grant execute on function errand_sweep(timestamptz, interval, interval, integer, uuid) to errand_app;
grant execute on function errand_queued(uuid, integer) to errand_app;
grant execute on function errand_expire(timestamptz, integer) to errand_app;
