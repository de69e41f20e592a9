-- A clock that is set back must not make anybody wait for as long as it was ahead.

-- Counts a try in advance, or says how long it has to wait: then nothing is counted. `is_first` marks the first refusal
-- of a block.
--
-- A device that proved itself answers for itself alone: no stranger can make it wait. All others wait for the account at
-- their place; for their place; and for the account everywhere, unless it was signed in to from there.
create or replace function errand_login_begin(
    tried bytea, place_of bytea, is_device boolean, moment timestamptz,
    out wait_until timestamptz, out is_first boolean
) language plpgsql as $$
declare
    is_known boolean := is_device or exists (
        select from login_places p
        where p.account = tried and p.place = place_of and p.last_at > moment - interval '90 days'
    );
    counter record;
    binding_place bytea;
    binding_account bytea;
begin
    is_first := false;
    if not is_device then
        insert into login_failures (account, place, failures, last_at)
        values (tried, place_of, 0, moment), (tried, '', 0, moment), ('', place_of, 0, moment)
        on conflict (account, place) do nothing;
    else
        insert into login_failures (account, place, failures, last_at) values (tried, place_of, 0, moment)
        on conflict (account, place) do nothing;
    end if;
    -- In one order for everybody: the pair, the account, the place.
    for counter in
        select f.* from login_failures f
        where f.account = tried and f.place = place_of
            or not is_device and (f.account = tried and f.place = '' or f.account = '' and f.place = place_of)
        order by f.account = '', f.place = ''
        for no key update
    loop
        if counter.last_at > moment + interval '1 minute' then
            -- The clock was set back since: the wait is counted from now. Servers' clocks differ by less.
            update login_failures f
            set last_at = moment, blocked_until = moment + (f.blocked_until - f.last_at), told_until = null
            where f.account = counter.account and f.place = counter.place
            returning f.blocked_until, f.told_until into counter.blocked_until, counter.told_until;
        end if;
        continue when counter.place = '' and is_known;
        if counter.blocked_until > moment and (wait_until is null or counter.blocked_until > wait_until) then
            wait_until := counter.blocked_until;
            is_first := counter.told_until is distinct from counter.blocked_until;
            binding_account := counter.account;
            binding_place := counter.place;
        end if;
    end loop;
    if wait_until is not null then
        if is_first then
            update login_failures f set told_until = f.blocked_until
            where f.account = binding_account and f.place = binding_place;
        end if;
        return;
    end if;
    update login_failures f
    set failures = c.failures, last_at = moment, blocked_until = moment + errand_back_off(c.failures, c.first, c.longest)
    from (
        select l.account, l.place, k.first, k.longest,
            case when l.last_at < moment - k.memory then 1 else least(l.failures, 1000000) + 1 end as failures
        from login_failures l
        cross join lateral (
            select *
            from (
                values
                    -- A person mistypes; a guesser at one place gets a try a minute.
                    ('pair', 5, 60, interval '1 day'),
                    -- Who guesses from many places gets one in five minutes, after the hundred that NIST allows.
                    ('account', 100, 300, interval '1 day'),
                    -- An office mistypes; who tries one password on many accounts gets a try a minute.
                    ('place', 20, 60, interval '1 hour')
            ) v (kind, first, longest, memory)
            where v.kind = case when l.place = '' then 'account' when l.account = '' then 'place' else 'pair' end
        ) k
        where l.account = tried and l.place = place_of
            or not is_device and (l.account = tried and l.place = '' or l.account = '' and l.place = place_of)
    ) c
    where f.account = c.account and f.place = c.place;
end
$$;
