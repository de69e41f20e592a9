-- Projects: a workspace with a policy, owned by a team.

create table projects (
    id uuid primary key,
    team_id uuid not null references teams,
    name text not null,
    policy text not null check (policy in ('contained', 'ask', 'read_only')),
    -- The worker that holds the workspace; set by the first claim that uses it.
    home_worker uuid references workers,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    -- A deleted project keeps its row: its jobs are a record that must stay readable.
    deleted_at timestamptz
);

create unique index projects_name_key on projects (team_id, name) where deleted_at is null;
create index projects_team on projects (team_id, id) where deleted_at is null;
create index projects_home on projects (home_worker) where home_worker is not null;

alter table projects enable row level security, force row level security;

create policy system_scope on projects to errand_app, errand_owner
    using ((select current_setting('errand.scope', true)) = 'system');
create policy own_teams on projects to errand_app
    using (team_id = any ((select errand_teams())::uuid[]));

grant select, insert, update on projects to errand_app;
