-- The roles of the installation. Passwords and the right to log in come from the bootstrap, never from a file.
--
--   errand_owner   owns every table and runs the migrations
--   errand_app     the servers: row-level security applies to everything it does
--   errand_audit   inserts audit entries and can do nothing else
--
-- A superuser creates them; an owner that finds them made (by a database administrator) passes through.
do $$
declare
    wanted text;
begin
    foreach wanted in array array['errand_owner', 'errand_app', 'errand_audit'] loop
        if not exists (select from pg_roles where rolname = wanted) then
            execute format('create role %I nosuperuser nocreatedb nocreaterole nobypassrls nologin', wanted);
        end if;
    end loop;
    -- Row-level security must hold for the servers whoever made the role.
    if exists (select from pg_roles where rolname = 'errand_app' and (rolbypassrls or rolsuper)) then
        raise exception 'role errand_app must neither be a superuser nor bypass row-level security';
    end if;
    if not pg_has_role(current_user, 'errand_owner', 'member') then
        execute format('grant errand_owner to %I', current_user);
    end if;
    -- Nobody else creates objects here; a temporary table could shadow one of ours.
    execute format('revoke temporary on database %I from public', current_database());
end
$$;

revoke all on schema public from public;
grant usage, create on schema public to errand_owner;
grant usage on schema public to errand_app, errand_audit;
