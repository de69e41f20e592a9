-- Sign-ins: one row per device, one chain of refresh tokens each. Only hashes of tokens are kept.

create table sign_ins (
    id uuid primary key,
    user_id uuid not null references users on delete cascade,
    device_name text not null,
    address text not null,
    user_agent text not null,
    created_at timestamptz not null,
    last_used_at timestamptz not null,
    expires_at timestamptz not null,
    revoked_at timestamptz,
    -- The generation of the refresh token that is current.
    generation integer not null default 1
);

create index sign_ins_user on sign_ins (user_id);
create index sign_ins_expiry on sign_ins (expires_at);

create table refresh_tokens (
    hash bytea primary key check (octet_length(hash) = 32),
    sign_in_id uuid not null references sign_ins on delete cascade,
    -- Its parent is the token of the generation before.
    generation integer not null check (generation >= 1),
    -- The first use begins the window in which the direct parent is answered with the same successor.
    first_used_at timestamptz,
    -- The successor, sealed under the token itself, kept for that window only.
    sealed_successor bytea,
    constraint refresh_tokens_generation_key unique (sign_in_id, generation)
);

create table stream_tickets (
    hash bytea primary key check (octet_length(hash) = 32),
    user_id uuid not null references users on delete cascade,
    sign_in_id uuid not null references sign_ins on delete cascade,
    expires_at timestamptz not null
);

create index stream_tickets_expiry on stream_tickets (expires_at);

-- Rotates a refresh token. The lock on the sign-in makes concurrent calls come one after the other; the token is read
-- after it, so that each call sees what the one before has done.
create function errand_refresh(
    presented bytea, successor bytea, sealed bytea, moment timestamptz, grace interval,
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
    if token.generation = signed.generation then
        insert into refresh_tokens (hash, sign_in_id, generation) values (successor, family, token.generation + 1);
        update refresh_tokens t set first_used_at = moment, sealed_successor = sealed where t.hash = presented;
        update refresh_tokens t set sealed_successor = null
        where t.sign_in_id = family and t.generation = token.generation - 1;
        update sign_ins s set generation = token.generation + 1, last_used_at = moment where s.id = family;
        outcome := 'rotated';
    elsif token.generation = signed.generation - 1 and moment < token.first_used_at + grace
        and token.sealed_successor is not null then
        sealed_answer := token.sealed_successor;
        outcome := 'replayed';
    else
        update sign_ins s set revoked_at = moment where s.id = family;
        outcome := 'reused';
    end if;
end
$$;

revoke execute on function errand_refresh(bytea, bytea, bytea, timestamptz, interval) from public;
grant execute on function errand_refresh(bytea, bytea, bytea, timestamptz, interval) to errand_app;

alter table sign_ins enable row level security, force row level security;
alter table refresh_tokens enable row level security, force row level security;
alter table stream_tickets enable row level security, force row level security;

create policy system_scope on sign_ins to errand_app, errand_owner
    using ((select current_setting('errand.scope', true)) = 'system');
create policy system_scope on refresh_tokens to errand_app, errand_owner
    using ((select current_setting('errand.scope', true)) = 'system');
create policy system_scope on stream_tickets to errand_app, errand_owner
    using ((select current_setting('errand.scope', true)) = 'system');

grant select, insert, update, delete on sign_ins, refresh_tokens, stream_tickets to errand_app;
