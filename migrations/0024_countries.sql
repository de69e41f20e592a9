-- Countries are among what makes a sign-in like others of the same person.
alter table sign_in_traits drop constraint sign_in_traits_kind_check;
alter table sign_in_traits add constraint sign_in_traits_kind_check check (kind in ('client', 'network', 'country'));
