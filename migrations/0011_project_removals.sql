-- The workspace of a deleted project goes too, and with it the user of the worker that it held.

create function errand_ask_removal() returns trigger language plpgsql security definer as $$
begin
    insert into public.workspace_removals (project_id, worker_id, asked_at)
    values (new.id, new.home_worker, new.deleted_at)
    on conflict (project_id) do nothing;
    return null;
end
$$;

revoke execute on function errand_ask_removal() from public;

create trigger ask_removal after update of deleted_at on projects
    for each row when (old.deleted_at is null and new.deleted_at is not null and new.home_worker is not null)
    execute function errand_ask_removal();

-- Who may delete a project is decided where it is deleted.
create policy acts on workspace_removals to errand_owner using (true) with check (true);

insert into workspace_removals (project_id, worker_id, asked_at)
select p.id, p.home_worker, p.deleted_at from projects p where p.deleted_at is not null and p.home_worker is not null
on conflict (project_id) do nothing;
