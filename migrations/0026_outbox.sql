-- Messages that leave the installation: each is written in the transaction of the act that it tells of, and sent by
-- whichever server claims it. It goes out at least once; the servers give it a name by which receivers drop repeats.

set local errand.scope = 'system';

-- The ways out that the servers have been given; a server says so when it starts.
create table outbox_channels (
    channel text primary key check (channel in ('mail', 'webhook'))
);

create table outbox (
    id uuid primary key,
    channel text not null check (channel in ('mail', 'webhook')),
    kind text not null check (kind in ('invite', 'password_reset', 'notice', 'test')),
    recipient text not null check (length(recipient) between 1 and 254),
    -- Whom it is about, when that is somebody with an account.
    user_id uuid references users on delete cascade,
    -- The team that an invitation leads into, and who invited.
    team_id uuid references teams on delete cascade,
    invited_by uuid,
    notice_id uuid references notices on delete cascade,
    -- What of it nobody else may read: a link with its token. It goes as soon as the letter is done.
    secret text references secrets on delete set null,
    -- Where a link to a new password was asked for.
    asked_address text,
    asked_agent text,
    created_at timestamptz not null,
    -- When it is due. Whoever claims it moves this on: that is the claim's lease.
    next_at timestamptz not null,
    -- What could not be sent by then is given up.
    give_up_at timestamptz not null,
    attempts integer not null default 0,
    state text not null default 'waiting' check (state in ('waiting', 'sent', 'failed')),
    receipt text check (octet_length(receipt) <= 200),
    last_error text check (octet_length(last_error) <= 200),
    done_at timestamptz,
    check ((state = 'waiting') = (done_at is null)),
    check ((kind = 'notice') = (notice_id is not null)),
    check ((kind = 'invite') = (team_id is not null))
);

create index outbox_due on outbox (next_at) where state = 'waiting';
create index outbox_age on outbox (created_at, id);
create index outbox_done on outbox (done_at) where done_at is not null;
create index outbox_recipient on outbox (recipient, kind, created_at);
create index outbox_person on outbox (user_id, created_at) where user_id is not null;
create index outbox_team on outbox (team_id, created_at) where team_id is not null;
create index outbox_inviter on outbox (invited_by, created_at) where invited_by is not null;
create index outbox_notice on outbox (notice_id) where notice_id is not null;
create index outbox_secret on outbox (secret) where secret is not null;

-- Every notice goes out too, up to twenty an hour: whoever signs in from everywhere in turn fills nobody's mailbox.
create function errand_send_notice() returns trigger language plpgsql as $$
begin
    insert into outbox (id, channel, kind, recipient, user_id, notice_id, created_at, next_at, give_up_at)
    select gen_random_uuid(), c.channel, 'notice', u.email, u.id, new.id, new.created_at, new.created_at,
        new.created_at + interval '3 days'
    from outbox_channels c join users u on u.id = new.user_id
    where (
        select count(*) from outbox o
        where o.user_id = new.user_id and o.kind = 'notice' and o.channel = c.channel
            and o.created_at > new.created_at - interval '1 hour'
    ) < 20;
    return null;
end
$$;

create trigger notices_are_sent after insert on notices for each row execute function errand_send_notice();

-- Invites as before, and sends the link to its address. What a team, a person, and all of them to one address may send in
-- an hour is bounded, and then nothing is done. The letters are written as the servers' own: no team reads the outbox.
create function errand_mail_invite(
    team uuid, invite uuid, presented bytea, wanted text, address text, moment timestamptz, expires timestamptz,
    most integer, letters uuid[], channels text[], places text[], seals bytea[], most_team integer,
    most_person integer, most_recipient integer
) returns text language plpgsql security definer as $$
declare
    scope text := current_setting('errand.scope', true);
    host uuid := case when scope like 'user:%' then substr(scope, 6)::uuid end;
    verdict text;
begin
    verdict := public.errand_invite(team, invite, presented, wanted, address, moment, expires, most);
    if verdict <> 'done' then return verdict; end if;
    perform set_config('errand.scope', 'system', true);
    if (
        select count(*) from public.outbox o
        where o.team_id = team and o.channel = channels[1] and o.created_at > moment - interval '1 hour'
    ) >= most_team or (
        select count(*) from public.outbox o
        where o.invited_by = host and o.channel = channels[1] and o.created_at > moment - interval '1 hour'
    ) >= most_person or (
        select count(*) from public.outbox o
        where o.recipient = address and o.kind = 'invite' and o.channel = channels[1]
            and o.created_at > moment - interval '1 hour'
    ) >= most_recipient then
        delete from public.invites i where i.id = invite;
        verdict := 'mail_limit';
    else
        insert into public.secrets (place, team_id, sealed)
        select p.place, team, p.seal from unnest(places, seals) as p (place, seal);
        insert into public.outbox (
            id, channel, kind, recipient, team_id, invited_by, secret, created_at, next_at, give_up_at
        )
        select l.id, l.channel, 'invite', address, team, host, l.place, moment, moment,
            least(expires, moment + interval '3 days')
        from unnest(letters, channels, places) as l (id, channel, place);
    end if;
    perform set_config('errand.scope', scope, true);
    return verdict;
end
$$;

-- Claims letters that are due: until the lease ends nobody else does.
create function errand_claim_letters(moment timestamptz, lease interval, ways text[], wanted integer)
returns setof outbox language plpgsql as $$
begin
    return query
    update outbox o set attempts = o.attempts + 1, next_at = moment + lease
    where o.id = any (array(
        select d.id from outbox d
        where d.state = 'waiting' and d.next_at <= moment and d.channel = any (ways)
        order by d.next_at limit wanted for update skip locked
    ))
    returning o.*;
end
$$;

-- Writes down what became of an attempt, unless another one has begun since; false then. What is done keeps no content.
create function errand_settle_letter(
    letter uuid, attempt integer, becomes text, again timestamptz, answer text, problem text, moment timestamptz
) returns boolean language plpgsql as $$
declare
    place_of text;
begin
    update outbox o set state = becomes, next_at = coalesce(again, o.next_at), receipt = answer, last_error = problem,
        done_at = case when becomes <> 'waiting' then moment end
    where o.id = letter and o.state = 'waiting' and o.attempts = attempt
    returning o.secret into place_of;
    if not found then return false; end if;
    if becomes <> 'waiting' then delete from secrets s where s.place = place_of; end if;
    return true;
end
$$;

-- Gives up what no server sends any more, and forgets what was done long ago; says how many it forgot.
create function errand_prune_outbox(moment timestamptz, kept interval, wanted integer) returns bigint
language plpgsql as $$
declare
    removed bigint;
begin
    with late as (
        select o.id from outbox o where o.state = 'waiting' and o.give_up_at < moment - interval '1 day'
        order by o.next_at limit wanted for update skip locked
    )
    update outbox o set state = 'failed', done_at = moment, last_error = 'no server sends on this channel any more'
    from late l where o.id = l.id;
    delete from secrets s using outbox o where o.secret = s.place and o.state <> 'waiting';
    delete from outbox o
    where o.id = any (array(
        select d.id from outbox d where d.done_at < moment - kept order by d.done_at limit wanted
        for update skip locked
    ));
    get diagnostics removed = row_count;
    return removed;
end
$$;

revoke execute on function
    errand_send_notice(), errand_claim_letters(timestamptz, interval, text[], integer),
    errand_settle_letter(uuid, integer, text, timestamptz, text, text, timestamptz),
    errand_prune_outbox(timestamptz, interval, integer),
    errand_mail_invite(
        uuid, uuid, bytea, text, text, timestamptz, timestamptz, integer, uuid[], text[], text[], bytea[], integer,
        integer, integer
    )
from public;
grant execute on function
    errand_send_notice(), errand_claim_letters(timestamptz, interval, text[], integer),
    errand_settle_letter(uuid, integer, text, timestamptz, text, text, timestamptz),
    errand_prune_outbox(timestamptz, interval, integer),
    errand_mail_invite(
        uuid, uuid, bytea, text, text, timestamptz, timestamptz, integer, uuid[], text[], text[], bytea[], integer,
        integer, integer
    )
to errand_app;

alter table outbox enable row level security, force row level security;
alter table outbox_channels enable row level security, force row level security;

create policy system_scope on outbox to errand_app, errand_owner
    using ((select current_setting('errand.scope', true)) = 'system');
create policy system_scope on outbox_channels to errand_app, errand_owner
    using ((select current_setting('errand.scope', true)) = 'system');

grant select, insert, update, delete on outbox, outbox_channels to errand_app;
