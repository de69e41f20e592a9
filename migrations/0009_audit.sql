-- The audit log: one chain of entries per team, and one (the nil UUID) for acts outside a team. Entries are written in the
-- transaction of the act, by one function that its callers may execute and that alone can write.

-- Where each chain ends. The row is the chain's lock, taken once for a batch and held until its commit.
create table audit_heads (
    chain uuid primary key,
    seq bigint not null check (seq >= 0),
    hash bytea not null check (octet_length(hash) = 32),
    -- When the last entry was written; the next one is never dated before it, whatever the clock does.
    recorded_ms bigint not null
)
-- Every batch rewrites the row: room on the page keeps that out of the index.
with (fillfactor = 50);

-- The months that have a partition, or had one.
create table audit_months (
    first_ms bigint primary key,
    end_ms bigint not null check (end_ms > first_ms),
    partition text not null,
    dropped_at timestamptz
);

create table audit_entries (
    chain uuid not null,
    seq bigint not null check (seq >= 1),
    -- Milliseconds since 1970, as they are hashed.
    recorded_ms bigint not null,
    prev_hash bytea not null check (octet_length(prev_hash) = 32),
    hash bytea not null check (octet_length(hash) = 32),
    -- The entry itself: length-prefixed fields, then the SHA-256 of `personal`.
    canonical bytea not null,
    -- Salt, address, client and details; may be erased without a break in the chain.
    personal bytea,
    -- What queries look for; each stands in `canonical` too.
    actor text not null,
    action text not null,
    target text,
    -- Within a chain both orders are the same one, so this is every index there is.
    primary key (chain, recorded_ms, seq)
) partition by range (recorded_ms);

-- Where each chain begins after months were dropped: the last entry that is gone, and the tree's nodes up to it.
create table audit_anchors (
    chain uuid primary key,
    seq bigint not null check (seq >= 1),
    recorded_ms bigint not null,
    hash bytea not null check (octet_length(hash) = 32),
    frontier bytea not null,
    dropped_at timestamptz not null default now()
);

-- Signed roots of the chains' Merkle trees.
create table audit_checkpoints (
    chain uuid not null,
    size bigint not null check (size >= 1),
    -- The position and hash of the last entry under the root.
    recorded_ms bigint not null,
    hash bytea not null check (octet_length(hash) = 32),
    -- The complete subtrees, largest first: what the next root is made from.
    frontier bytea not null,
    note text not null check (length(note) <= 4096),
    signed_at timestamptz not null,
    primary key (chain, size)
);

-- The lock of everything that makes or drops a partition.
create function errand_audit_month_lock() returns void language sql as $$ select pg_advisory_xact_lock(7093301441) $$;

-- Opens the partition of a moment and answers with the moment to write: a clock that fell back into dropped months is held
-- at their end, so that no chain gets an entry before its anchor.
create function errand_audit_open_month(moment bigint) returns bigint
language plpgsql security definer as $$
declare
    held bigint;
    beginning timestamp;
    first_moment bigint;
    end_moment bigint;
    name text;
begin
    perform public.errand_audit_month_lock();
    select greatest(moment, max(m.end_ms)) into held from public.audit_months m where m.dropped_at is not null;
    beginning := date_trunc('month', to_timestamp(held / 1000.0) at time zone 'UTC');
    first_moment := (extract(epoch from beginning) * 1000)::bigint;
    end_moment := (extract(epoch from beginning + interval '1 month') * 1000)::bigint;
    if not exists (select from public.audit_months m where m.first_ms = first_moment) then
        name := 'audit_entries_' || to_char(beginning, 'YYYY_MM');
        -- Made apart and then attached: that holds up nobody who reads or writes.
        execute format('create table public.%I (like public.audit_entries including all)', name);
        execute format('alter table public.%I enable row level security, force row level security', name);
        execute format(
            'create trigger audit_entries_kept before truncate on public.%I '
            'for each statement execute function public.errand_refuse_audit_change()',
            name
        );
        execute format(
            'alter table public.audit_entries attach partition public.%I for values from (%s) to (%s)',
            name, first_moment, end_moment
        );
        insert into public.audit_months (first_ms, end_ms, partition) values (first_moment, end_moment, name);
    end if;
    return held;
end
$$;

-- Opens the month after this one, so that no request has to wait for it when it begins.
create function errand_audit_open_ahead() returns void language plpgsql security definer as $$
begin
    perform public.errand_audit_open_month(
        floor(extract(epoch from clock_timestamp() + interval '1 month') * 1000)::bigint
    );
end
$$;

-- Appends entries to their chains. They come sorted by chain, so that all callers take the heads in one order and none
-- waits for another in a circle; hence also: once in a transaction, after every other lock.
create function errand_audit_append(
    chains uuid[], canonicals bytea[], personals bytea[], actors text[], actions text[], targets text[]
) returns bigint language plpgsql security definer as $$
declare
    domain constant bytea := convert_to(E'errand.audit.entry.v1\n', 'UTF8');
    total constant integer := coalesce(cardinality(chains), 0);
    started constant bigint := floor(extract(epoch from clock_timestamp()) * 1000)::bigint;
    head public.audit_heads;
    month_end bigint;
    prefix bytea;
    stamp bytea;
    numbers bigint[] := array_fill(null::bigint, array[total]);
    moments bigint[] := array_fill(null::bigint, array[total]);
    links bytea[] := array_fill(null::bytea, array[total]);
    hashes bytea[] := array_fill(null::bytea, array[total]);
begin
    for nth in 1..total loop
        if head.chain is distinct from chains[nth] then
            if head.chain > chains[nth] then
                raise exception 'audit entries must come sorted by chain' using errcode = 'invalid_parameter_value';
            end if;
            if head.chain is not null then
                update public.audit_heads h set seq = head.seq, hash = head.hash, recorded_ms = head.recorded_ms
                where h.chain = head.chain;
            end if;
            select h.* into head from public.audit_heads h where h.chain = chains[nth] for no key update;
            if not found then
                insert into public.audit_heads (chain, seq, hash, recorded_ms)
                values (chains[nth], 0, decode(repeat('00', 32), 'hex'), started)
                on conflict (chain) do nothing;
                select h.* into head from public.audit_heads h where h.chain = chains[nth] for no key update;
            end if;
            head.recorded_ms := greatest(started, head.recorded_ms);
            select case when m.dropped_at is null then m.end_ms end into month_end from public.audit_months m
            where m.first_ms <= head.recorded_ms order by m.first_ms desc limit 1;
            if month_end is null or month_end <= head.recorded_ms then
                head.recorded_ms := public.errand_audit_open_month(head.recorded_ms);
            end if;
            prefix := domain || uuid_send(head.chain);
            stamp := int8send(head.recorded_ms);
        end if;
        canonicals[nth] := canonicals[nth] || sha256(personals[nth]);
        links[nth] := head.hash;
        head.seq := head.seq + 1;
        head.hash := sha256(prefix || int8send(head.seq) || stamp || head.hash || canonicals[nth]);
        numbers[nth] := head.seq;
        moments[nth] := head.recorded_ms;
        hashes[nth] := head.hash;
    end loop;
    if total > 0 then
        update public.audit_heads h set seq = head.seq, hash = head.hash, recorded_ms = head.recorded_ms
        where h.chain = head.chain;
        insert into public.audit_entries (
            chain, seq, recorded_ms, prev_hash, hash, canonical, personal, actor, action, target
        )
        select * from unnest(
            chains, numbers, moments, links, hashes, canonicals, personals, actors, actions, targets
        );
    end if;
    return total;
end
$$;

-- The same for statements that act on several things at once: records the entries whose key is among those that changed.
create function errand_audit_append_changed(
    changed uuid[], keys uuid[],
    chains uuid[], canonicals bytea[], personals bytea[], actors text[], actions text[], targets text[]
) returns bigint language plpgsql security definer as $$
begin
    -- Nearly always all of them; what changed is never more than what has a key.
    if cardinality(changed) = cardinality(keys) then
        return public.errand_audit_append(chains, canonicals, personals, actors, actions, targets);
    end if;
    return (
        select public.errand_audit_append(
            coalesce(array_agg(d.chain order by d.nth), '{}'), array_agg(d.canonical order by d.nth),
            array_agg(d.personal order by d.nth), array_agg(d.actor order by d.nth),
            array_agg(d.action order by d.nth), array_agg(d.target order by d.nth)
        )
        from unnest(keys, chains, canonicals, personals, actors, actions, targets) with ordinality
            as d (key, chain, canonical, personal, actor, action, target, nth)
        where d.key = any (changed)
    );
end
$$;

-- Drops the oldest month, which must be over. The anchors name every chain's last entry of that month, so that what
-- follows can still be verified. Only the owner of the tables may; it records the act in the same transaction.
create function errand_audit_drop(
    month_first bigint, chains uuid[], seqs bigint[], moments bigint[], hashes bytea[], frontiers bytea[]
) returns void language plpgsql as $$
declare
    gone public.audit_months;
    unnamed bigint;
begin
    perform public.errand_audit_month_lock();
    select m.* into gone from public.audit_months m where m.dropped_at is null order by m.first_ms limit 1;
    if gone.first_ms is distinct from month_first then
        raise exception 'only the oldest month can be dropped' using errcode = 'object_not_in_prerequisite_state';
    end if;
    if gone.end_ms > floor(extract(epoch from clock_timestamp()) * 1000)::bigint then
        raise exception 'the month is not over' using errcode = 'object_not_in_prerequisite_state';
    end if;
    execute format('lock table public.%I in access exclusive mode', gone.partition);
    select count(*) into unnamed
    from (
        select distinct on (e.chain) e.chain, e.seq, e.recorded_ms, e.hash from public.audit_entries e
        where e.recorded_ms >= gone.first_ms and e.recorded_ms < gone.end_ms
        order by e.chain, e.recorded_ms desc, e.seq desc
    ) l
    where not exists (
        select from unnest(chains, seqs, moments, hashes) as a (chain, seq, recorded_ms, hash)
        where a.chain = l.chain and a.seq = l.seq and a.recorded_ms = l.recorded_ms and a.hash = l.hash
    );
    if unnamed > 0 then
        raise exception '% chains of the month have no anchor', unnamed using errcode = 'object_not_in_prerequisite_state';
    end if;
    insert into public.audit_anchors (chain, seq, recorded_ms, hash, frontier)
    select a.* from unnest(chains, seqs, moments, hashes, frontiers) as a (chain, seq, recorded_ms, hash, frontier)
    on conflict (chain) do update
    set seq = excluded.seq, recorded_ms = excluded.recorded_ms, hash = excluded.hash, frontier = excluded.frontier,
        dropped_at = now();
    execute format('alter table public.audit_entries detach partition public.%I', gone.partition);
    execute format('drop table public.%I', gone.partition);
    update public.audit_months m set dropped_at = now() where m.first_ms = gone.first_ms;
end
$$;

-- Nothing is changed or removed by a statement, whoever runs it; the one exception empties `personal`.
create function errand_refuse_audit_change() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and tg_table_name like 'audit\_entries%' then
        if new.personal is null and (
            new.chain, new.seq, new.recorded_ms, new.prev_hash, new.hash, new.canonical, new.actor, new.action, new.target
        ) is not distinct from (
            old.chain, old.seq, old.recorded_ms, old.prev_hash, old.hash, old.canonical, old.actor, old.action, old.target
        ) then
            return new;
        end if;
    end if;
    raise exception 'the audit log is never changed' using errcode = 'insufficient_privilege';
end
$$;

create trigger audit_entries_unchanged before update or delete on audit_entries
for each row execute function errand_refuse_audit_change();
create trigger audit_entries_kept before truncate on audit_entries
for each statement execute function errand_refuse_audit_change();
create trigger audit_checkpoints_unchanged before update or delete on audit_checkpoints
for each row execute function errand_refuse_audit_change();
create trigger audit_checkpoints_kept before truncate on audit_checkpoints
for each statement execute function errand_refuse_audit_change();

revoke execute on function errand_audit_month_lock() from public;
revoke execute on function errand_audit_open_month(bigint) from public;
revoke execute on function errand_audit_open_ahead() from public;
revoke execute on function errand_audit_append(uuid[], bytea[], bytea[], text[], text[], text[]) from public;
revoke execute on function errand_audit_append_changed(
    uuid[], uuid[], uuid[], bytea[], bytea[], text[], text[], text[]
) from public;
revoke execute on function errand_audit_drop(bigint, uuid[], bigint[], bigint[], bytea[], bytea[]) from public;
grant execute on function errand_audit_open_ahead() to errand_app;
grant execute on function errand_audit_append(uuid[], bytea[], bytea[], text[], text[], text[])
to errand_app, errand_audit;
grant execute on function errand_audit_append_changed(
    uuid[], uuid[], uuid[], bytea[], bytea[], text[], text[], text[]
) to errand_app;

alter table audit_heads enable row level security, force row level security;
alter table audit_months enable row level security, force row level security;
alter table audit_entries enable row level security, force row level security;
alter table audit_anchors enable row level security, force row level security;
alter table audit_checkpoints enable row level security, force row level security;

-- The functions above run as the owner and ask for no scope.
create policy keeper on audit_heads to errand_owner using (true);
create policy keeper on audit_months to errand_owner using (true);
create policy keeper on audit_entries to errand_owner using (true);
create policy keeper on audit_anchors to errand_owner using (true);
create policy keeper on audit_checkpoints to errand_owner using (true);

create policy system_scope on audit_heads for select to errand_app
    using ((select current_setting('errand.scope', true)) = 'system');
create policy system_scope on audit_months for select to errand_app
    using ((select current_setting('errand.scope', true)) = 'system');
create policy system_scope on audit_entries for select to errand_app
    using ((select current_setting('errand.scope', true)) = 'system');
create policy own_teams on audit_entries for select to errand_app
    using (chain = any ((select errand_teams())::uuid[]));
create policy system_scope on audit_anchors for select to errand_app
    using ((select current_setting('errand.scope', true)) = 'system');
create policy system_scope on audit_checkpoints to errand_app
    using ((select current_setting('errand.scope', true)) = 'system');
create policy own_teams on audit_checkpoints for select to errand_app
    using (chain = any ((select errand_teams())::uuid[]));

grant select on audit_heads, audit_months, audit_entries, audit_anchors, audit_checkpoints to errand_app;
grant insert on audit_checkpoints to errand_app;

-- This month and the next.
select errand_audit_open_month(floor(extract(epoch from now() + ahead) * 1000)::bigint)
from unnest(array[interval '0', interval '1 month']) as a (ahead);
