-- Who has no limit is not counted: the checks of projects and members read all of a team's changes also where nothing
-- could come of it.

set local errand.scope = 'system';

create or replace function errand_check_projects() returns trigger language plpgsql security definer as $$
begin
    perform public.errand_refuse_quota('projects')
    from (select distinct n.team_id, public.errand_limit(n.team_id, 'projects') as most from new_projects n) t
    where case
        when t.most is not null then (select u.projects from public.errand_usage(t.team_id) u) > t.most
    end;
    return null;
end
$$;

create or replace function errand_check_members() returns trigger language plpgsql security definer as $$
begin
    perform public.errand_refuse_quota('members')
    from (select distinct n.team_id, public.errand_limit(n.team_id, 'members') as most from new_members n) t
    where case
        when t.most is not null then (select u.members from public.errand_usage(t.team_id) u) > t.most
    end;
    return null;
end
$$;
