-- Sign-in by outside OpenID providers: the providers, who people are there, and sign-ins under way.

set local errand.scope = 'system';

create table oidc_providers (
    id uuid primary key,
    name text not null constraint oidc_providers_name_key unique check (name ~ '^[a-z0-9][a-z0-9-]{0,39}$'),
    label text not null check (length(label) between 1 and 60),
    -- The provider's own name, to the letter: identities hang on it.
    issuer text not null constraint oidc_providers_issuer_key unique check (length(issuer) between 8 and 500),
    client_id text not null check (length(client_id) between 1 and 500),
    -- The sealed client secret; null for a client that has none.
    secret text references secrets,
    -- In lower case; empty for any.
    domains text[] not null,
    makes_accounts boolean not null,
    joins_team uuid references teams on delete set null,
    joins_role text not null default 'member' check (joins_role in ('viewer', 'member', 'admin')),
    is_internal boolean not null,
    vouches_for_addresses boolean not null,
    created_at timestamptz not null
);

create index oidc_providers_team on oidc_providers (joins_team) where joins_team is not null;

-- Issuer and subject are the name; an address never is. They outlive the provider's entry, which may come back.
create table user_identities (
    id uuid primary key,
    user_id uuid not null references users on delete cascade,
    issuer text not null check (length(issuer) between 8 and 500),
    subject text not null check (length(subject) between 1 and 255),
    email text check (length(email) <= 512),
    linked_at timestamptz not null,
    last_used_at timestamptz not null,
    constraint user_identities_name_key unique (issuer, subject),
    constraint user_identities_user_key unique (user_id, issuer)
);

-- From the moment that a browser is sent to a provider until it comes back. Only the state's hash is kept.
create table provider_sign_ins (
    state_hash bytea primary key check (octet_length(state_hash) = 32),
    provider_id uuid not null references oidc_providers on delete cascade,
    salt bytea not null check (octet_length(salt) = 32),
    challenge text not null check (length(challenge) = 43),
    redirect text not null check (length(redirect) <= 2048),
    client_state text check (length(client_state) <= 512),
    wants_fresh boolean not null,
    -- Who links an identity to their account; null for a sign-in.
    user_id uuid references users on delete cascade,
    sign_in_id uuid references sign_ins on delete cascade,
    started_at timestamptz not null,
    expires_at timestamptz not null,
    check (num_nonnulls(user_id, sign_in_id) in (0, 2))
);

create index provider_sign_ins_expiry on provider_sign_ins (expires_at);
create index provider_sign_ins_provider on provider_sign_ins (provider_id);
create index provider_sign_ins_user on provider_sign_ins (user_id) where user_id is not null;
create index provider_sign_ins_sign_in on provider_sign_ins (sign_in_id) where sign_in_id is not null;

-- One-use codes that become tokens, or a link. A used one stays for a while: who presents it again ends what it opened.
create table provider_codes (
    hash bytea primary key check (octet_length(hash) = 32),
    provider_id uuid not null references oidc_providers on delete cascade,
    user_id uuid not null references users on delete cascade,
    challenge text not null check (length(challenge) = 43),
    redirect text not null check (length(redirect) <= 2048),
    authenticated_at timestamptz,
    -- For a link: the sign-in that asked, and the identity.
    link_sign_in uuid references sign_ins on delete cascade,
    link_issuer text,
    link_subject text,
    link_email text,
    expires_at timestamptz not null,
    used_at timestamptz,
    is_reused boolean not null default false,
    opened uuid references sign_ins on delete set null,
    check (num_nonnulls(link_sign_in, link_issuer, link_subject) in (0, 3))
);

create index provider_codes_expiry on provider_codes (expires_at);
create index provider_codes_provider on provider_codes (provider_id);
create index provider_codes_user on provider_codes (user_id);
create index provider_codes_opened on provider_codes (opened) where opened is not null;
create index provider_codes_link on provider_codes (link_sign_in) where link_sign_in is not null;

-- Forgets what has served its time: a bounded number of each per call.
create function errand_expire_provider_sign_ins(moment timestamptz, wanted integer) returns void language plpgsql as $$
begin
    delete from provider_sign_ins p
    where p.ctid = any (array(
        select o.ctid from provider_sign_ins o where o.expires_at < moment
        order by o.expires_at limit wanted for update skip locked
    ));
    -- Long enough after its end to notice that somebody else has it too.
    delete from provider_codes c
    where c.ctid = any (array(
        select o.ctid from provider_codes o where o.expires_at < moment - interval '1 hour'
        order by o.expires_at limit wanted for update skip locked
    ));
end
$$;

revoke execute on function errand_expire_provider_sign_ins(timestamptz, integer) from public;
grant execute on function errand_expire_provider_sign_ins(timestamptz, integer) to errand_app;

alter table oidc_providers enable row level security, force row level security;
alter table user_identities enable row level security, force row level security;
alter table provider_sign_ins enable row level security, force row level security;
alter table provider_codes enable row level security, force row level security;

create policy system_scope on oidc_providers to errand_app, errand_owner
    using ((select current_setting('errand.scope', true)) = 'system');
create policy system_scope on user_identities to errand_app, errand_owner
    using ((select current_setting('errand.scope', true)) = 'system');
create policy system_scope on provider_sign_ins to errand_app, errand_owner
    using ((select current_setting('errand.scope', true)) = 'system');
create policy system_scope on provider_codes to errand_app, errand_owner
    using ((select current_setting('errand.scope', true)) = 'system');

grant select, insert, update, delete on oidc_providers, user_identities, provider_sign_ins, provider_codes to errand_app;
