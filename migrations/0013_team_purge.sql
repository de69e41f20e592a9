-- A team is taken apart by pieces of log, not by jobs: one job may have gigabytes of it, and what does not end within
-- the server's time limit is taken back whole.

-- Deletes at most `wanted` pieces of log, then at most so many jobs that have none left: `more` until they are gone,
-- `done` when nothing is left but the team's audit log. `unknown` to all but the system, and while another is at it.
create or replace function errand_purge_team(team uuid, moment timestamptz, grace interval, wanted integer) returns text
language plpgsql security definer as $$
declare
    batch uuid[];
    removed bigint;
begin
    if current_setting('errand.scope', true) is distinct from 'system' then return 'unknown'; end if;
    perform from public.teams t where t.id = team and t.deleted_at <= moment - grace for update skip locked;
    if not found then return 'unknown'; end if;
    batch := array(select j.id from public.jobs j where j.team_id = team order by j.team_id, j.id limit wanted);
    if cardinality(batch) > 0 then
        delete from public.job_output o where o.ctid = any (array(
            select p.ctid from public.job_output p where p.job_id = any (batch) limit wanted
        ));
        get diagnostics removed = row_count;
        -- Nothing is added meanwhile: no job of such a team runs.
        if removed < wanted then delete from public.jobs j where j.id = any (batch); end if;
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
