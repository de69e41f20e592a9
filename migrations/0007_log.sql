-- The job log's durable half: compressed chunks of record frames, contiguous per attempt, written once.

create table job_output (
    job_id uuid not null,
    attempt integer not null check (attempt >= 1),
    first_seq bigint not null check (first_seq >= 1),
    last_seq bigint not null check (last_seq >= first_seq),
    -- The bytes of all its records, without frames.
    raw_bytes bigint not null,
    -- Where the chunk's part of each stream begins and ends, in bytes of the stream; equal when it has none.
    stdout_start bigint not null,
    stdout_end bigint not null,
    stderr_start bigint not null,
    stderr_end bigint not null,
    agent_start bigint not null,
    agent_end bigint not null,
    errand_start bigint not null,
    errand_end bigint not null,
    -- 0: the frames as they are; 1: one zstd frame of them.
    codec smallint not null check (codec in (0, 1)),
    data bytea not null,
    primary key (job_id, attempt, first_seq)
);

-- It is compressed already.
alter table job_output alter column data set storage external;

-- A byte of a stream is found by the first chunk that ends behind it; chunks without the stream are not in its index.
create index job_output_stdout on job_output (job_id, attempt, stdout_end) where stdout_end > stdout_start;
create index job_output_stderr on job_output (job_id, attempt, stderr_end) where stderr_end > stderr_start;
create index job_output_agent on job_output (job_id, attempt, agent_end) where agent_end > agent_start;
create index job_output_errand on job_output (job_id, attempt, errand_end) where errand_end > errand_start;

-- Appends chunks of many attempts, all or none of each. The lock holds off a finish, a reaper and another append of the
-- same attempt; what is stored is read after it. An attempt that is not returned has lost its job.
create function errand_append(
    jobs_in uuid[], attempts_in integer[], firsts bigint[], lasts bigint[], sizes bigint[],
    offsets bigint[], codecs smallint[], chunks bytea[]
) returns table (job uuid, attempt_number integer, durable bigint)
language plpgsql as $$
begin
    perform from jobs j where j.id = any (jobs_in) order by j.id for no key update;
    return query
    with chunk as (
        select c.*, min(c.first_seq) over whole as head_seq, max(c.last_seq) over whole as end_seq
        from unnest(jobs_in, attempts_in, firsts, lasts, sizes, codecs, chunks) with ordinality
            as c (job_id, attempt, first_seq, last_seq, raw_bytes, codec, data, nth)
        window whole as (partition by c.job_id, c.attempt)
    ),
    owned as (
        select c.*, coalesce((
            select o.last_seq from job_output o
            where o.job_id = c.job_id and o.attempt = c.attempt
            order by o.first_seq desc limit 1
        ), 0) as stored
        from chunk c
        where (
            select j.attempt = c.attempt and j.state in ('running', 'paused') from jobs j where j.id = c.job_id
        )
    ),
    written as (
        insert into job_output (
            job_id, attempt, first_seq, last_seq, raw_bytes, stdout_start, stdout_end, stderr_start, stderr_end,
            agent_start, agent_end, errand_start, errand_end, codec, data
        )
        select o.job_id, o.attempt, o.first_seq, o.last_seq, o.raw_bytes,
            offsets[o.nth * 8 - 7], offsets[o.nth * 8 - 6], offsets[o.nth * 8 - 5], offsets[o.nth * 8 - 4],
            offsets[o.nth * 8 - 3], offsets[o.nth * 8 - 2], offsets[o.nth * 8 - 1], offsets[o.nth * 8],
            o.codec, o.data
        from owned o
        where o.head_seq = o.stored + 1
    )
    select o.job_id, o.attempt, case when o.head_seq = o.stored + 1 then o.end_seq else o.stored end
    from owned o where o.first_seq = o.head_seq;
end
$$;

revoke execute on function errand_append(
    uuid[], integer[], bigint[], bigint[], bigint[], bigint[], smallint[], bytea[]
) from public;
grant execute on function errand_append(
    uuid[], integer[], bigint[], bigint[], bigint[], bigint[], smallint[], bytea[]
) to errand_app;

alter table job_output enable row level security, force row level security;

create policy system_scope on job_output to errand_app, errand_owner
    using ((select current_setting('errand.scope', true)) = 'system');

grant select, insert on job_output to errand_app;
