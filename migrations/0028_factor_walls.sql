-- What ends with a second factor ends also what is just beginning by it, and whoever is held back for want of one changes
-- nothing either.

-- A passkey that is taken away ends the sign-ins that are being opened by it, as a new one ends those by the password alone.
create function errand_renew_generation_without() returns trigger language plpgsql as $$
begin
    update users u set password_generation = u.password_generation + 1 where u.id = old.user_id;
    return null;
end
$$;

create trigger passkeys_end after delete on passkeys
for each row execute function errand_renew_generation_without();

revoke execute on function errand_renew_generation_without() from public;

drop policy team_writes on projects;
create policy team_writes on projects for update to errand_app
    using (
        errand_role(team_id, id) in ('member', 'admin', 'owner') and (
            team_id = any ((select errand_teams())::uuid[]) or id = any ((select errand_key_projects())::uuid[])
        )
    );
drop policy team_writes on jobs;
create policy team_writes on jobs for update to errand_app
    using (
        errand_role(team_id, project_id) in ('member', 'admin', 'owner') and (
            team_id = any ((select errand_teams())::uuid[]) or project_id = any ((select errand_key_projects())::uuid[])
        )
    );

-- The actor's role in a team whose row this takes, and whether the team is being deleted. A key acts on no team. Whoever is
-- held back for want of a second factor is let look, which changes nothing.
create or replace function errand_enter_team(team uuid, out role text, out is_closing boolean)
language plpgsql security definer as $$
declare
    scope text := current_setting('errand.scope', true);
    is_demanded boolean;
begin
    if scope like 'key:%' then return; end if;
    select t.deleted_at is not null, t.require_second_factor into is_closing, is_demanded
    from public.teams t where t.id = team for no key update;
    if not found then return; end if;
    role := public.errand_role(team);
    if role is not null and is_demanded and scope like 'user:%'
        and not public.errand_has_factor(substr(scope, 6)::uuid) then
        role := 'viewer';
    end if;
end
$$;

-- Removes a member, or lets the actor leave, for which no role is needed and no second factor. Their keys of the team end
-- with it.
create or replace function errand_remove_member(team uuid, member uuid) returns text
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
    if not leaves and public.errand_rank(own) < public.errand_rank(present) then return 'forbidden'; end if;
    if present = 'owner' and public.errand_is_last_owner(team, member) then return 'last_owner'; end if;
    delete from public.memberships m where m.user_id = member and m.team_id = team;
    update public.api_keys k set revoked_at = now()
    where k.issued_by = member and k.team_id = errand_remove_member.team and k.revoked_at is null;
    return 'done';
end
$$;

-- Lets a team demand a second factor, or not. An owner without one would shut themselves out; one who has lost theirs may
-- take the demand back.
create or replace function errand_set_factor_policy(team uuid, wanted boolean) returns text
language plpgsql security definer as $$
declare
    scope text := current_setting('errand.scope', true);
    own text;
    closing boolean;
begin
    select e.role, e.is_closing into own, closing from public.errand_enter_team(team) e;
    if own is null then return 'unknown'; end if;
    if not wanted then own := public.errand_role(team); end if;
    if own <> 'owner' then
        if wanted and public.errand_role(team) = 'owner' then return 'unenrolled'; end if;
        return 'forbidden';
    end if;
    if closing then return 'closing'; end if;
    if wanted and scope like 'user:%' and not public.errand_has_factor(substr(scope, 6)::uuid) then
        return 'unenrolled';
    end if;
    update public.teams t set require_second_factor = wanted where t.id = team and t.require_second_factor <> wanted;
    return case when found then 'done' else 'unchanged' end;
end
$$;
