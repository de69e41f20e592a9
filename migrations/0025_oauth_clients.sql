-- Programs of others (RFC 6749 with PKCE): clients that teams register, and the codes that people give them. What such a
-- sign-in may do is a key without a secret, so that every wall that holds keys holds it too.

create table oauth_clients (
    id uuid primary key,
    team_id uuid not null references teams on delete cascade,
    name text not null check (octet_length(name) between 1 and 100),
    redirect_uris text[] not null check (cardinality(redirect_uris) between 1 and 10),
    scopes text[] not null check (cardinality(scopes) > 0),
    is_confidential boolean not null,
    secret_hash bytea check (octet_length(secret_hash) = 32),
    created_by uuid not null references users,
    created_at timestamptz not null,
    constraint oauth_clients_secret check (is_confidential = (secret_hash is not null))
);

create index oauth_clients_team on oauth_clients (team_id, id);

create table authorization_codes (
    hash bytea primary key check (octet_length(hash) = 32),
    client_id uuid not null references oauth_clients on delete cascade,
    user_id uuid not null references users on delete cascade,
    redirect_uri text not null,
    -- What the client committed itself to (RFC 7636, S256).
    challenge text not null,
    scopes text[] not null check (cardinality(scopes) > 0),
    authenticated_at timestamptz not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    -- The sign-in that it became; a second use ends it.
    sign_in_id uuid
);

create index authorization_codes_expiry on authorization_codes (expires_at);
create index authorization_codes_client on authorization_codes (client_id);
create index authorization_codes_user on authorization_codes (user_id);

-- What its tokens may be used for; null: everything that its person may do.
alter table sign_ins add column scopes text[] check (cardinality(scopes) > 0);

-- The key of a client's sign-in, which nobody has a secret for; it ends with the sign-in and with the client.
alter table api_keys
    add column sign_in_id uuid unique references sign_ins on delete cascade,
    add column client_id uuid references oauth_clients on delete cascade,
    add constraint api_keys_of_client check ((sign_in_id is null) = (client_id is null));

create index api_keys_client on api_keys (client_id) where client_id is not null;

-- As before; the key of a sign-in opens nothing unless that stands as well.
create or replace function errand_key(key uuid) returns table (team uuid, issuer uuid, most text, projects uuid[])
language plpgsql stable security definer as $$
begin
    return query
    select k.team_id, k.issued_by, coalesce(s.role, 'owner'), k.project_ids
    from public.api_keys k
    left join public.service_accounts s
        on s.id = k.service_account_id and s.team_id = k.team_id and s.deleted_at is null
    where k.id = errand_key.key and k.revoked_at is null
        and (k.service_account_id is null or s.id is not null)
        and (
            k.sign_in_id is null
            or exists (select from public.sign_ins i where i.id = k.sign_in_id and i.revoked_at is null)
        )
        and public.errand_reaches('user:' || k.issued_by, k.team_id);
end
$$;

-- Ends the sign-ins of a person as before, and what was confirmed or given for them and has not become a sign-in yet.
create or replace function errand_end_sign_ins(person uuid, kept uuid, moment timestamptz) returns setof uuid
language plpgsql as $$
begin
    delete from stream_tickets t where t.user_id = person and t.sign_in_id is distinct from kept;
    delete from device_grants g where g.user_id = person and g.state = 'approved';
    delete from authorization_codes a where a.user_id = person and a.sign_in_id is null;
    return query
    update sign_ins s set revoked_at = moment
    where s.user_id = person and s.id is distinct from kept and s.revoked_at is null and s.expires_at > moment
    returning s.id;
end
$$;

-- Forgets grants as before; a used code is remembered for a day, so that its second use is known for what it is.
create or replace function errand_expire_grants(moment timestamptz, wanted integer) returns void language plpgsql as $$
begin
    delete from device_grants g
    where g.ctid = any (array(
        select o.ctid from device_grants o where o.expires_at < moment - interval '10 minutes'
        order by o.expires_at limit wanted for update skip locked
    ));
    delete from authorization_codes a
    where a.ctid = any (array(
        select o.ctid from authorization_codes o where o.expires_at < moment - interval '1 day'
        order by o.expires_at limit wanted for update skip locked
    ));
end
$$;

alter table oauth_clients enable row level security, force row level security;
alter table authorization_codes enable row level security, force row level security;

create policy system_scope on oauth_clients to errand_app, errand_owner
    using ((select current_setting('errand.scope', true)) = 'system');
create policy system_scope on authorization_codes to errand_app, errand_owner
    using ((select current_setting('errand.scope', true)) = 'system');
create policy scope_functions on sign_ins for select to errand_owner using (true);

-- People see and register clients; a key, and so a client, does neither.
create policy peoples_teams on oauth_clients to errand_app
    using (
        (select current_setting('errand.scope', true)) like 'user:%' and team_id = any ((select errand_teams())::uuid[])
    );

grant select, insert, update, delete on oauth_clients, authorization_codes to errand_app;
