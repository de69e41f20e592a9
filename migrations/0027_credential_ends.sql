-- Credentials end for good, and in one order: what a key or a sign-in opened does not come back with whoever made it.

set local errand.scope = 'system';

-- The owner's functions lock people's rows, and end keys in every scope.
create policy locks on users for update to errand_owner using (true);
create policy acts on api_keys to errand_owner using (true) with check (true);

-- Whether somebody may issue keys of a team, which their removal and their disabling wait for; and at one time only one.
create function errand_admit_issuer(person uuid, team uuid) returns boolean
language plpgsql security definer as $$
begin
    perform from public.users u where u.id = person and u.disabled_at is null for share;
    if not found then return false; end if;
    perform from public.memberships m
    where m.user_id = person and m.team_id = errand_admit_issuer.team for no key update;
    return found;
end
$$;

create function errand_refuse_issuer() returns trigger language plpgsql security definer as $$
begin
    if not public.errand_admit_issuer(new.issued_by, new.team_id) then
        raise exception 'the issuer of a key is a member of its team'
            using errcode = 'insufficient_privilege', table = 'api_keys';
    end if;
    return new;
end
$$;

create trigger api_keys_issuer before insert on api_keys for each row execute function errand_refuse_issuer();

-- Whatever a server forgot to ask: what has ended stays so, and no end is put off.
create function errand_refuse_longer_key() returns trigger language plpgsql security definer as $$
begin
    if old.revoked_at is not null and new.revoked_at is distinct from old.revoked_at
        or old.expires_at is not null and (new.expires_at is null or new.expires_at > old.expires_at)
    then
        raise exception 'the end of a key is not put off'
            using errcode = 'insufficient_privilege', table = 'api_keys';
    end if;
    return new;
end
$$;

create trigger api_keys_end before update of revoked_at, expires_at on api_keys for each row
execute function errand_refuse_longer_key();

-- What became useless before this was here must not come back either.
update api_keys k set revoked_at = now()
where k.revoked_at is null and not exists (
    select from memberships m join users u on u.id = m.user_id
    where m.user_id = k.issued_by and m.team_id = k.team_id and u.disabled_at is null
);

create index api_keys_issuer on api_keys (issued_by) where revoked_at is null;
create index api_keys_replaced on api_keys (replaced_by) where replaced_by is not null;

-- Takes the team's row; the actor's role, and whether the team is being deleted. No role: it is not there for them, and
-- for a key it never is: what these acts do is people's.
create or replace function errand_enter_team(team uuid, out role text, out is_closing boolean)
language plpgsql security definer as $$
begin
    if current_setting('errand.scope', true) like 'key:%' then return; end if;
    select t.deleted_at is not null into is_closing from public.teams t where t.id = team for no key update;
    if found then role := public.errand_role(team); end if;
end
$$;

-- Removes a member, or lets the actor leave, for which no role is needed. Their keys of the team end with it.
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
    if public.errand_rank(own) < public.errand_rank(present) then return 'forbidden'; end if;
    if present = 'owner' and public.errand_is_last_owner(team, member) then return 'last_owner'; end if;
    delete from public.memberships m where m.user_id = member and m.team_id = team;
    update public.api_keys k set revoked_at = now()
    where k.issued_by = member and k.team_id = errand_remove_member.team and k.revoked_at is null;
    return 'done';
end
$$;

-- Disables an account, and ends its sign-ins, what was to become one, and its keys: a statement each, so that none that came in between is missed.
-- Whether it was enabled; no row when there is none.
create function errand_disable_user(person uuid) returns table (is_new boolean) language plpgsql as $$
begin
    perform from users u where u.id = person for no key update;
    if not found then return; end if;
    update users u set disabled_at = now() where u.id = person and u.disabled_at is null;
    is_new := found;
    update sign_ins s set revoked_at = now() where s.user_id = person and s.revoked_at is null;
    delete from stream_tickets t where t.user_id = person;
    delete from device_grants g where g.user_id = person and g.state = 'approved';
    delete from authorization_codes a where a.user_id = person and a.sign_in_id is null;
    update api_keys k set revoked_at = now() where k.issued_by = person and k.revoked_at is null;
    return next;
end
$$;

-- Makes a key, unless the team has `most` or the person `most_own` for themselves. One that is being replaced takes no
-- place of its own. Several people at once may exceed the team's number by as many, one person never theirs.
create function errand_create_key(
    new_id uuid, new_hash bytea, new_hint text, key_team uuid, issuer uuid, account uuid, new_name text,
    new_scopes text[], projects uuid[], moment timestamptz, new_end timestamptz, most integer, most_own integer,
    out verdict text
) language plpgsql as $$
declare
    standing bigint;
    own bigint;
begin
    perform errand_admit_issuer(issuer, key_team);
    select count(*), count(*) filter (where k.issued_by = issuer and k.service_account_id is null) into standing, own
    from api_keys k
    where k.team_id = key_team and k.revoked_at is null and k.replaced_by is null and k.sign_in_id is null
        and (k.expires_at is null or k.expires_at > moment);
    if standing >= most then
        verdict := 'team_full';
    elsif account is null and own >= most_own then
        verdict := 'person_full';
    else
        insert into api_keys (
            id, hash, hint, team_id, issued_by, service_account_id, name, scopes, project_ids, created_at, expires_at
        )
        values (
            new_id, new_hash, new_hint, key_team, issuer, account, new_name, new_scopes, projects, moment, new_end
        );
        verdict := 'done';
    end if;
end
$$;

-- Makes a key's successor under a new identifier and lets the old one go on until the overlap's end. `replaced` when the
-- old one is not there to be replaced, `overlapping` while the one before it goes on: of one key there are never three.
drop function errand_rotate_key(uuid, uuid, uuid, bytea, text, uuid, timestamptz, timestamptz, timestamptz);
create function errand_rotate_key(
    old uuid, key_team uuid, new_id uuid, new_hash bytea, new_hint text, issuer uuid, new_end timestamptz,
    overlap_end timestamptz, moment timestamptz, out verdict text
) language plpgsql as $$
declare
    before api_keys;
begin
    verdict := 'replaced';
    if not errand_admit_issuer(issuer, key_team) then return; end if;
    select k.* into before from api_keys k
    where k.id = old and k.team_id = key_team and k.revoked_at is null and k.replaced_by is null
        and (k.expires_at is null or k.expires_at > moment)
    for no key update;
    if not found then return; end if;
    if exists (
        select from api_keys p where p.replaced_by = old and p.revoked_at is null and p.expires_at > moment
    ) then
        verdict := 'overlapping';
        return;
    end if;
    insert into api_keys (
        id, hash, hint, team_id, issued_by, service_account_id, name, scopes, project_ids, created_at, expires_at
    )
    values (
        new_id, new_hash, new_hint, before.team_id, issuer, before.service_account_id, before.name, before.scopes,
        before.project_ids, moment, new_end
    );
    update api_keys k set replaced_by = new_id, expires_at = least(k.expires_at, overlap_end) where k.id = old;
    verdict := 'done';
end
$$;

-- Locks are taken in one order: the person, their sign-ins, then what hangs on those.

-- Ends the sign-ins of a person, but for one that is kept, with them their stream tickets, and what was confirmed or given
-- for them and has not become a sign-in yet.
create or replace function errand_end_sign_ins(person uuid, kept uuid, moment timestamptz) returns setof uuid
language plpgsql as $$
begin
    return query
    update sign_ins s set revoked_at = moment
    where s.user_id = person and s.id is distinct from kept and s.revoked_at is null and s.expires_at > moment
    returning s.id;
    delete from stream_tickets t where t.user_id = person and t.sign_in_id is distinct from kept;
    delete from device_grants g where g.user_id = person and g.state = 'approved';
    delete from authorization_codes a where a.user_id = person and a.sign_in_id is null;
end
$$;

-- Ends one sign-in, of this person when one is named, with its tickets; no row when there is none that stands.
create function errand_end_sign_in(ended uuid, person uuid, moment timestamptz) returns setof uuid
language plpgsql as $$
begin
    return query
    update sign_ins s set revoked_at = moment
    where s.id = ended and (person is null or s.user_id = person) and s.revoked_at is null and s.expires_at > moment
    returning s.id;
    delete from stream_tickets t where t.sign_in_id = ended and (person is null or t.user_id = person);
end
$$;

-- Rotates a refresh token for the client that it was given to. When it was reused the person is told from where.
drop function errand_refresh(bytea, bytea, bytea, timestamptz, interval, text);
create function errand_refresh(
    presented bytea, successor bytea, sealed bytea, moment timestamptz, grace interval, client text,
    from_address text, from_client text,
    out outcome text, out family uuid, out sealed_answer bytea
) language plpgsql as $$
declare
    signed sign_ins;
    token refresh_tokens;
begin
    outcome := 'refused';
    select t.sign_in_id into family from refresh_tokens t where t.hash = presented;
    if not found then return; end if;
    select s.* into signed from sign_ins s where s.id = family for no key update;
    select t.* into token from refresh_tokens t where t.hash = presented;
    if signed.revoked_at is not null or signed.expires_at <= moment
        or exists (select from users u where u.id = signed.user_id and u.disabled_at is not null) then
        return;
    end if;
    if signed.client_id = client and token.generation = signed.generation then
        insert into refresh_tokens (hash, sign_in_id, generation) values (successor, family, token.generation + 1);
        update refresh_tokens t set first_used_at = moment, sealed_successor = sealed where t.hash = presented;
        update refresh_tokens t set sealed_successor = null
        where t.sign_in_id = family and t.generation = token.generation - 1;
        update sign_ins s set generation = token.generation + 1, last_used_at = moment where s.id = family;
        outcome := 'rotated';
    elsif signed.client_id = client and token.generation = signed.generation - 1
        and moment < token.first_used_at + grace and token.sealed_successor is not null then
        sealed_answer := token.sealed_successor;
        outcome := 'replayed';
    else
        update sign_ins s set revoked_at = moment where s.id = family;
        delete from stream_tickets t where t.sign_in_id = family;
        insert into notices (user_id, kind, created_at, sign_in_id, device_name, address, user_agent)
        values (signed.user_id, 'token_reuse', moment, family, signed.device_name, from_address, from_client);
        outcome := 'reused';
    end if;
end
$$;

-- Puts a new password in the place of the one that was checked, known by its generation, which a costlier hash of it
-- leaves as it is; and ends what the old one opened: the other sign-ins and all reset links. No row when another password
-- has come in between; else one for each sign-in, and one without.
drop function errand_reset_password(bytea, text, text, text, timestamptz);
drop function errand_change_password(uuid, text, text, uuid, text, text, text, timestamptz);
create function errand_change_password(
    person uuid, checked integer, new_hash text, kept uuid, notice text, from_address text, client text,
    moment timestamptz
) returns table (ended uuid) language plpgsql as $$
begin
    update users u set password_hash = new_hash, password_generation = u.password_generation + 1
    where u.id = person and u.password_generation = checked;
    if not found then return; end if;
    delete from password_resets r where r.user_id = person;
    insert into notices (user_id, kind, created_at, sign_in_id, address, user_agent)
    values (person, notice, moment, kept, from_address, client);
    return query select null::uuid union all select e from errand_end_sign_ins(person, kept, moment) e;
end
$$;

-- The same by a reset link, which is used up. No row when the link does not hold any more.
create function errand_reset_password(
    presented bytea, new_hash text, from_address text, client text, moment timestamptz
) returns table (ended uuid) language plpgsql as $$
declare
    person uuid;
    checked integer;
begin
    select r.user_id into person from password_resets r where r.hash = presented;
    if not found then return; end if;
    select u.password_generation into checked from users u
    where u.id = person and u.disabled_at is null for no key update;
    if not found then return; end if;
    delete from password_resets r where r.hash = presented and r.expires_at > moment;
    if not found then return; end if;
    return query
    select * from errand_change_password(
        person, checked, new_hash, null, 'password_reset', from_address, client, moment
    );
end
$$;

-- Takes room for an archive that is about to be sent: of `wanted` bytes, or of any number up to `largest` when that is
-- not known. `most` is what it may have, `full` that it may not have that. The room is taken at once, so that two
-- archives do not share it. Who may submit to a project may fill its workspace: a key that is limited to it, too.
create or replace function errand_hold_workspace(
    project uuid, wanted bigint, largest bigint, moment timestamptz, ending timestamptz,
    out verdict text, out reservation bigint, out most bigint
) language plpgsql security definer as $$
declare
    team uuid;
    quota bigint;
    before bigint;
begin
    select p.team_id into team from public.projects p where p.id = project and p.deleted_at is null;
    if team is null or not public.errand_may_submit(current_setting('errand.scope', true), team, project) then
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

-- Puts the end of a reservation off. What was let in is let to its end, in a lesser role too.
create or replace function errand_renew_workspace(reservation bigint, ending timestamptz) returns void
language plpgsql security definer as $$
begin
    update public.workspace_reservations r set expires_at = ending
    where r.id = reservation and public.errand_role(r.team_id, r.project_id) is not null;
end
$$;

-- Gives a reservation back, and notes how large the archive was when one has come (null: none has).
create or replace function errand_release_workspace(project uuid, reservation bigint, size bigint) returns void
language plpgsql security definer as $$
declare
    team uuid;
begin
    select p.team_id into team from public.projects p where p.id = project and p.deleted_at is null for key share;
    if team is null or public.errand_role(team, project) is null then return; end if;
    delete from public.workspace_reservations r where r.id = reservation and r.project_id = project;
    if size is not null then
        insert into public.workspace_sizes as s (project_id, team_id, bytes) values (project, team, greatest(size, 0))
        on conflict (project_id) do update set bytes = excluded.bytes;
    end if;
end
$$;

-- Forgets what has served its time: a bounded number of each per call.
create or replace function errand_expire_credentials(moment timestamptz, wanted integer) returns void
language plpgsql as $$
begin
    delete from password_resets r
    where r.ctid = any (array(
        select o.ctid from password_resets o where o.expires_at < moment
        order by o.expires_at limit wanted for update skip locked
    ));
    delete from notices n
    where n.ctid = any (array(
        select o.ctid from notices o where o.created_at < moment - interval '180 days'
        order by o.created_at limit wanted for update skip locked
    ));
    -- Longer than a year: a client that is used every summer is not new.
    delete from sign_in_traits t
    where t.ctid = any (array(
        select o.ctid from sign_in_traits o
        where o.last_seen_at < moment - interval '400 days' and exists (
            select from sign_in_traits n
            where n.user_id = o.user_id and n.kind = o.kind and n.last_seen_at < 'infinity'
                and (n.last_seen_at, n.value) > (o.last_seen_at, o.value)
        )
        order by o.last_seen_at limit wanted for update skip locked
    ));
    -- The last of each kind stays, out of this sweep's way: whoever wakes an account that slept is new to it.
    with spared as (
        update sign_in_traits t set last_seen_at = 'infinity'
        where t.ctid = any (array(
            select o.ctid from sign_in_traits o where o.last_seen_at < moment - interval '400 days'
            order by o.last_seen_at limit wanted for update skip locked
        ))
        returning t.user_id, t.kind, t.value
    )
    delete from sign_in_traits t using spared l
    where t.user_id = l.user_id and t.kind = l.kind and t.value <> l.value and t.last_seen_at = 'infinity';
    -- Kept for a month after their end, so that people see why something stopped; the audit log knows them for ever.
    delete from api_keys k
    where k.ctid = any (array(
        select o.ctid from api_keys o
        where num_nonnulls(o.expires_at, o.revoked_at) > 0
            and least(o.expires_at, o.revoked_at) < moment - interval '30 days'
        order by least(o.expires_at, o.revoked_at) limit wanted for update skip locked
    ));
end
$$;

-- What accounts were signed in with before anybody noted it: else the next sign-in of each would be the first one.
create function errand_old_network(address text) returns text language plpgsql as $$
declare
    plain text := regexp_replace(lower(address), '^::ffff:([0-9.]+)$', '\1');
begin
    return network(set_masklen(plain::inet, case when plain like '%:%' then 48 else 24 end))::text;
exception when others then
    -- A unix socket's.
    return null;
end
$$;

insert into sign_in_traits (user_id, kind, value, first_seen_at, last_seen_at)
select o.user_id, o.kind, o.value, min(o.created_at), max(o.last_used_at)
from (
    select s.user_id, 'network' as kind, errand_old_network(s.address) as value, s.created_at, s.last_used_at
    from sign_ins s
    union all
    select s.user_id, 'client', case
            when s.user_agent like 'Mozilla/%' then case
                when s.user_agent like '%Edg%' then 'edge'
                when s.user_agent like '%OPR/%' then 'opera'
                when s.user_agent like '%SamsungBrowser/%' then 'samsung'
                when s.user_agent like '%Firefox/%' or s.user_agent like '%FxiOS/%' then 'firefox'
                when s.user_agent like '%CriOS/%' or s.user_agent like '%Chrome/%' then 'chrome'
                when s.user_agent like '%Safari/%' then 'safari'
                else 'browser'
            end
            when s.user_agent ~ '^[0-9A-Za-z._-]+([/ ]|$)'
                then lower(left(substring(s.user_agent from '^[0-9A-Za-z._-]+'), 40))
            else 'unknown'
        end, s.created_at, s.last_used_at
    from sign_ins s
) o
where o.value is not null
group by o.user_id, o.kind, o.value
on conflict (user_id, kind, value) do nothing;

drop function errand_old_network(text);

revoke execute on function
    errand_admit_issuer(uuid, uuid), errand_refuse_issuer(), errand_refuse_longer_key(), errand_disable_user(uuid),
    errand_create_key(
        uuid, bytea, text, uuid, uuid, uuid, text, text[], uuid[], timestamptz, timestamptz, integer, integer
    ),
    errand_rotate_key(uuid, uuid, uuid, bytea, text, uuid, timestamptz, timestamptz, timestamptz),
    errand_end_sign_in(uuid, uuid, timestamptz),
    errand_refresh(bytea, bytea, bytea, timestamptz, interval, text, text, text),
    errand_change_password(uuid, integer, text, uuid, text, text, text, timestamptz),
    errand_reset_password(bytea, text, text, text, timestamptz)
from public;
grant execute on function
    errand_admit_issuer(uuid, uuid), errand_disable_user(uuid),
    errand_create_key(
        uuid, bytea, text, uuid, uuid, uuid, text, text[], uuid[], timestamptz, timestamptz, integer, integer
    ),
    errand_rotate_key(uuid, uuid, uuid, bytea, text, uuid, timestamptz, timestamptz, timestamptz),
    errand_end_sign_in(uuid, uuid, timestamptz),
    errand_refresh(bytea, bytea, bytea, timestamptz, interval, text, text, text),
    errand_change_password(uuid, integer, text, uuid, text, text, text, timestamptz),
    errand_reset_password(bytea, text, text, text, timestamptz)
to errand_app;

-- Members see the keys of their teams, make their own and end them; administrators do so for service accounts, which they
-- make, and end everybody's. What a key may do is written once. A key sees and does none of that.
drop policy peoples_teams on api_keys;
create policy people_look on api_keys for select to errand_app
    using (
        (select current_setting('errand.scope', true)) like 'user:%' and team_id = any ((select errand_teams())::uuid[])
    );
create policy people_make on api_keys for insert to errand_app
    with check (
        issued_by = (select errand_own_user()) and team_id = any ((select errand_teams())::uuid[])
        and (service_account_id is null or errand_role(team_id) in ('admin', 'owner'))
    );
create policy people_end on api_keys for update to errand_app
    using (
        (select current_setting('errand.scope', true)) like 'user:%' and team_id = any ((select errand_teams())::uuid[])
        and (issued_by = (select errand_own_user()) or errand_role(team_id) in ('admin', 'owner'))
    );
revoke update on api_keys from errand_app;
grant update (expires_at, last_used_at, revoked_at, replaced_by) on api_keys to errand_app;

drop policy peoples_teams on service_accounts;
create policy people_look on service_accounts for select to errand_app
    using (
        (select current_setting('errand.scope', true)) like 'user:%' and team_id = any ((select errand_teams())::uuid[])
    );
create policy people_make on service_accounts for insert to errand_app
    with check (
        created_by = (select errand_own_user()) and team_id = any ((select errand_teams())::uuid[])
        and errand_role(team_id) in ('admin', 'owner')
    );
create policy people_end on service_accounts for update to errand_app
    using (
        (select current_setting('errand.scope', true)) like 'user:%' and team_id = any ((select errand_teams())::uuid[])
        and errand_role(team_id) in ('admin', 'owner')
    );
revoke update on service_accounts from errand_app;
grant update (deleted_at) on service_accounts to errand_app;

-- What administrators may do with secrets their keys may not.
create policy no_keys on secrets as restrictive to errand_app
    using ((select current_setting('errand.scope', true)) not like 'key:%');
create policy no_keys on model_keys as restrictive to errand_app
    using ((select current_setting('errand.scope', true)) not like 'key:%');
