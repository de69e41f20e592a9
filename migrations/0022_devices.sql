-- Signing in elsewhere: browsers by a cookie, machines by a code that their person confirms (RFC 8628). Only hashes of
-- what was given away are kept.

-- What opens a browser's sign-in, in the place of a refresh token; it ends with the sign-in.
create table browser_sessions (
    hash bytea primary key check (octet_length(hash) = 32),
    sign_in_id uuid not null unique references sign_ins on delete cascade
);

create table device_grants (
    -- Of the device code.
    hash bytea primary key check (octet_length(hash) = 32),
    user_code_hash bytea not null constraint device_grants_user_code_key unique
        check (octet_length(user_code_hash) = 32),
    client_id text not null check (length(client_id) between 1 and 100),
    device_name text not null,
    address text not null,
    user_agent text not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    state text not null default 'pending' check (state in ('pending', 'approved', 'refused', 'redeemed')),
    -- How long it has to wait between two questions, and when it asked last.
    pause interval not null,
    polled_at timestamptz,
    -- Who answered, and when they had last proved who they are.
    user_id uuid references users on delete cascade,
    authenticated_at timestamptz,
    -- The sign-in that it became.
    sign_in_id uuid,
    constraint device_grants_answer check (state <> 'approved' or num_nulls(user_id, authenticated_at) = 0)
);

create index device_grants_expiry on device_grants (expires_at);
create index device_grants_user on device_grants (user_id) where user_id is not null;

-- What a machine is told that asks whether it was confirmed; no row when there is none such, or it was exchanged. One that
-- asks too soon has to wait longer from then on.
create function errand_poll_device(
    presented bytea, client text, moment timestamptz, slow_down interval, leeway interval
) returns table (verdict text, person uuid, named text, proved timestamptz) language plpgsql as $$
declare
    waiting device_grants;
begin
    select g.* into waiting from device_grants g
    where g.hash = presented and g.client_id = client for no key update;
    if not found or waiting.state = 'redeemed' then return; end if;
    if waiting.expires_at <= moment then
        return query select 'expired', null::uuid, waiting.device_name, null::timestamptz;
        return;
    end if;
    -- A time of asking that lies ahead was written before the clock was set back.
    if waiting.polled_at <= moment and moment < waiting.polled_at + waiting.pause - leeway then
        update device_grants g set polled_at = moment, pause = waiting.pause + slow_down where g.hash = presented;
        return query select 'slow_down', null::uuid, waiting.device_name, null::timestamptz;
        return;
    end if;
    update device_grants g set polled_at = moment where g.hash = presented;
    return query select waiting.state, waiting.user_id, waiting.device_name, waiting.authenticated_at;
end
$$;

-- Ends the sign-ins of a person as before, and what was confirmed for them and has not become a sign-in yet.
create or replace function errand_end_sign_ins(person uuid, kept uuid, moment timestamptz) returns setof uuid
language plpgsql as $$
begin
    delete from stream_tickets t where t.user_id = person and t.sign_in_id is distinct from kept;
    delete from device_grants g where g.user_id = person and g.state = 'approved';
    return query
    update sign_ins s set revoked_at = moment
    where s.user_id = person and s.id is distinct from kept and s.revoked_at is null and s.expires_at > moment
    returning s.id;
end
$$;

-- Forgets grants that have served their time: a bounded number per call. A machine is told for a while that its time is over.
create function errand_expire_grants(moment timestamptz, wanted integer) returns void language plpgsql as $$
begin
    delete from device_grants g
    where g.ctid = any (array(
        select o.ctid from device_grants o where o.expires_at < moment - interval '10 minutes'
        order by o.expires_at limit wanted for update skip locked
    ));
end
$$;

revoke execute on function
    errand_poll_device(bytea, text, timestamptz, interval, interval), errand_expire_grants(timestamptz, integer)
from public;
grant execute on function
    errand_poll_device(bytea, text, timestamptz, interval, interval), errand_expire_grants(timestamptz, integer)
to errand_app;

alter table browser_sessions enable row level security, force row level security;
alter table device_grants enable row level security, force row level security;

create policy system_scope on browser_sessions to errand_app, errand_owner
    using ((select current_setting('errand.scope', true)) = 'system');
create policy system_scope on device_grants to errand_app, errand_owner
    using ((select current_setting('errand.scope', true)) = 'system');

grant select, insert, update, delete on browser_sessions, device_grants to errand_app;
