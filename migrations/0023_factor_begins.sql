-- A new second factor ends what the password alone has just opened: a sign-in that was checked against the account as it was
-- before must not begin after it. So the number that such a sign-in is held to changes with it, as with a new password.

create function errand_renew_generation() returns trigger language plpgsql as $$
begin
    update users u set password_generation = u.password_generation + 1 where u.id = new.user_id;
    return null;
end
$$;

create trigger totp_factors_begin after update of confirmed_at on totp_factors
for each row when (old.confirmed_at is null and new.confirmed_at is not null) execute function errand_renew_generation();
create trigger passkeys_begin after insert on passkeys
for each row execute function errand_renew_generation();

revoke execute on function errand_renew_generation() from public;
