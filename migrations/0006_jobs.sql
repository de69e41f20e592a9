-- Jobs: the queued row is the queue. Every transition is a compare-and-set on (id, state, attempt).

create table jobs (
    id uuid primary key,
    team_id uuid not null,
    -- The submitting statement locks the project and takes the team from it; references checked row by row would cost
    -- a third of the insert rate, and neither projects nor users are ever deleted.
    project_id uuid not null,
    submitted_by uuid not null,
    kind text not null check (kind in ('claude', 'command')),
    state text not null check (state in (
        'delayed', 'queued', 'blocked', 'running', 'paused', 'succeeded', 'failed', 'cancelled', 'timed_out'
    )),
    reason text,
    reason_text text,
    priority smallint not null check (priority between 0 and 9),
    workspace text not null check (workspace in ('project', 'none')),
    policy text not null check (policy in ('contained', 'ask', 'read_only')),
    -- What to run, as it was submitted; json, not jsonb, because it is read whole and must come back byte for byte.
    spec json not null,
    -- The number of the latest claim: the fence of every later write, and the name of the attempt's log.
    attempt integer not null default 0 check (attempt >= 0),
    -- The claims that count against max_attempts: not those that never reached the work itself.
    tries integer not null default 0 check (tries between 0 and attempt),
    max_attempts integer not null check (max_attempts between 1 and 10),
    timeout_seconds integer check (timeout_seconds > 0),
    worker_id uuid,
    worker_epoch bigint,
    run_at timestamptz not null,
    -- When the queue was last told of the row.
    dispatched_at timestamptz not null,
    created_at timestamptz not null,
    started_at timestamptz,
    finished_at timestamptz,
    cancel_requested_at timestamptz,
    result json,
    log_last_seq bigint check (log_last_seq >= 0),
    log_bytes bigint check (log_bytes >= 0),
    log_sha256 bytea check (octet_length(log_sha256) = 32),
    constraint jobs_owner check (
        (state in ('running', 'paused')) = (worker_id is not null and worker_epoch is not null and finished_at is null)
        or state in ('succeeded', 'failed', 'cancelled', 'timed_out')
    ),
    constraint jobs_finish check (
        (state in ('succeeded', 'failed', 'cancelled', 'timed_out')) = (finished_at is not null)
    ),
    constraint jobs_log_end check (num_nulls(log_last_seq, log_bytes, log_sha256) in (0, 3))
)
-- A job's row is rewritten about four times in its life, and the claim scans its dead index entries.
with (
    fillfactor = 75,
    autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_vacuum_threshold = 1000,
    autovacuum_analyze_scale_factor = 0.05,
    autovacuum_vacuum_cost_delay = 1
);

-- Each index is paid for at every change of state, because the predicates name the state; so there are few.
-- Listings, newest first: all of a team, all of a project, and what is not over yet. The directions differ, so that the
-- order of a statement names the one index that it means.
create index jobs_team on jobs (team_id, id);
create index jobs_project on jobs (project_id, id);
create index jobs_live on jobs (team_id, id desc)
    where state in ('delayed', 'queued', 'blocked', 'running', 'paused');
-- The ready sets: one per team for jobs that run anywhere, one per project for jobs that share its workspace.
create index jobs_ready_anywhere on jobs (team_id, priority, run_at, id) where state = 'queued' and workspace = 'none';
create index jobs_ready_project on jobs (project_id, priority, run_at, id)
    where state = 'queued' and workspace = 'project';
-- The sweep of due delays and of jobs without a home.
create index jobs_due on jobs (run_at) where state = 'delayed';
create index jobs_blocked on jobs (project_id) where state = 'blocked';
-- Whose jobs a lost worker leaves behind.
create index jobs_held on jobs (worker_id, worker_epoch) where state in ('running', 'paused');
-- One job at a time in a project's workspace, whatever a claim believes.
create unique index jobs_one_per_workspace on jobs (project_id)
    where workspace = 'project' and state in ('running', 'paused');

-- The arrows of a job's life. The condition is the whole rule; the function only says no.
create function errand_refuse_job_state() returns trigger language plpgsql as $$
begin
    raise exception 'a job cannot go from % to %', old.state, new.state
        using errcode = 'check_violation', constraint = 'jobs_state_arrows', table = 'jobs';
end
$$;

create trigger jobs_state_arrows before update of state on jobs for each row
when (old.state <> new.state and not (
    old.state = 'delayed' and new.state in ('queued', 'cancelled')
    or old.state = 'queued' and new.state in ('running', 'blocked', 'cancelled')
    or old.state = 'blocked' and new.state in ('queued', 'cancelled', 'failed')
    or old.state = 'running'
        and new.state in ('queued', 'paused', 'succeeded', 'failed', 'cancelled', 'timed_out')
    or old.state = 'paused' and new.state in ('running', 'queued', 'failed', 'cancelled', 'timed_out')
))
execute function errand_refuse_job_state();

create function errand_refuse_job_fence() returns trigger language plpgsql as $$
begin
    raise exception 'a job''s attempt only grows, one at a time, and begins at nought'
        using errcode = 'check_violation', constraint = 'jobs_fence', table = 'jobs';
end
$$;

create trigger jobs_fence before update of attempt on jobs for each row
when (new.attempt not in (old.attempt, old.attempt + 1))
execute function errand_refuse_job_fence();

create trigger jobs_birth before insert on jobs for each row
when (new.attempt <> 0 or new.state not in ('delayed', 'queued', 'blocked'))
execute function errand_refuse_job_fence();

-- What makes a repeated submit harmless, for a day and more.
create table idempotency_keys (
    user_id uuid not null,
    key text not null check (length(key) between 1 and 255),
    request_hash bytea not null,
    job_id uuid not null,
    created_at timestamptz not null,
    primary key (user_id, key)
);

create index idempotency_keys_age on idempotency_keys (created_at);

alter table jobs enable row level security, force row level security;
alter table idempotency_keys enable row level security, force row level security;

create policy system_scope on jobs to errand_app, errand_owner
    using ((select current_setting('errand.scope', true)) = 'system');
create policy own_teams on jobs to errand_app
    using (team_id = any ((select errand_teams())::uuid[]));
create policy system_scope on idempotency_keys to errand_app, errand_owner
    using ((select current_setting('errand.scope', true)) = 'system');

grant select, insert, update on jobs to errand_app;
grant select, insert, update, delete on idempotency_keys to errand_app;

-- Deletes a project: its row is locked against a submit first, then its jobs are looked at.
create function errand_delete_project(project uuid) returns text language plpgsql as $$
declare
    team uuid;
begin
    select p.team_id into team from projects p where p.id = project and p.deleted_at is null for update;
    if not found then return 'unknown'; end if;
    -- By team, because what is not over is indexed so.
    perform from jobs j
    where j.team_id >= team and j.team_id <= team and j.project_id = project
        and j.state in ('delayed', 'queued', 'blocked', 'running', 'paused')
    order by j.team_id, j.id desc limit 1;
    if found then return 'jobs'; end if;
    update projects p set deleted_at = now() where p.id = project;
    return 'deleted';
end
$$;

revoke execute on function errand_delete_project(uuid) from public;
grant execute on function errand_delete_project(uuid) to errand_app;
