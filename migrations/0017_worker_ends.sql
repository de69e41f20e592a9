-- What a worker's beginning and its end leave to be settled: an enrolment that is asked for again because its answer
-- was lost, and the projects whose workspaces were on a worker that is revoked.

-- The token that was exchanged, so that whoever has both it and the credential is told the same again.
alter table workers add column enrolled_with bytea constraint workers_enrolled_key unique;

-- Fails what waits for workspaces that revoked workers held: run elsewhere, it would find an empty workspace and not
-- know. The projects get a new home with whatever comes after. Until then nothing of theirs may run, so they keep the
-- old one as long as such a job is alive; those that run there lose the worker's lease and come here by the reaper.
create function errand_rehome(moment timestamptz, wanted integer) returns table (job uuid) language plpgsql as $$
declare
    revoked uuid[];
    lost uuid[];
    teams uuid[];
    homeless uuid;
begin
    revoked := array(select w.id from workers w where w.revoked_at is not null);
    if cardinality(revoked) = 0 then return; end if;
    delete from workspace_removals r
    where r.project_id = any (array(
        select o.project_id from workspace_removals o where o.worker_id = any (revoked)
        order by o.worker_id limit wanted
    ));
    lost := array(
        select p.id from projects p where p.home_worker = any (revoked)
        order by p.home_worker limit wanted for no key update skip locked
    );
    if cardinality(lost) = 0 then return; end if;
    teams := array(select distinct p.team_id from projects p where p.id = any (lost));
    -- A job's life has no shorter way from there to failed.
    update jobs j set state = 'queued', dispatched_at = moment
    where j.id = any (array(
        select d.id from jobs d
        where d.team_id = any (teams) and d.project_id = any (lost) and d.workspace = 'project' and d.state = 'delayed'
            and d.state in ('delayed', 'queued', 'blocked', 'running', 'paused')
        order by d.team_id, d.id desc limit wanted for no key update skip locked
    ));
    update jobs j set state = 'blocked', reason = 'workspace_lost'
    where j.id = any (array(
        select q.id from jobs q
        where q.project_id = any (lost) and q.state = 'queued' and q.workspace = 'project'
        order by q.project_id limit wanted for no key update skip locked
    ));
    return query
    update jobs j
    set state = 'failed', reason = 'workspace_lost', finished_at = moment,
        reason_text = 'The worker that held the project''s workspace was revoked, and its files are gone.'
    where j.id = any (array(
        select b.id from jobs b
        where b.project_id = any (lost) and b.state = 'blocked' and b.workspace = 'project'
        order by b.project_id limit wanted for no key update skip locked
    ))
    returning j.id;
    for homeless in
        update projects p set home_worker = null
        where p.id = any (lost) and not exists (
            select from jobs j
            where j.team_id = p.team_id and j.project_id = p.id and j.workspace = 'project'
                and j.state in ('delayed', 'queued', 'blocked', 'running', 'paused')
        )
        returning p.id
    loop
        -- What is gone takes no room.
        perform errand_settle_workspace(homeless, 0);
    end loop;
end
$$;

revoke execute on function errand_rehome(timestamptz, integer) from public;
grant execute on function errand_rehome(timestamptz, integer) to errand_app;
