-- The walls. `protect_tenant_table` is what every later migration calls for a new tenant table:
-- row-level security enabled and forced, the tenant's policy, the system role's policy, and grants.
-- TRUNCATE ignores row-level security and is granted to nobody.

create function protect_tenant_table(target regclass, system_may text default 'select') returns void
    language plpgsql
    as $$
begin
    execute format('alter table %s enable row level security', target);
    execute format('alter table %s force row level security', target);
    execute format(
        'create policy tenant on %s to offhook_app '
        'using (organization_id = (select current_organization())) '
        'with check (organization_id = (select current_organization()))', target);
    execute format('create policy system on %s to offhook_system using (true) with check (true)', target);
    execute format('grant select, insert, update, delete on %s to offhook_app', target);
    execute format('grant %s on %s to offhook_system', system_may, target);
end $$;
revoke execute on function protect_tenant_table from public;

grant usage on schema offhook to offhook_app, offhook_system;

select protect_tenant_table('memberships', 'select, insert');
select protect_tenant_table('api_keys');
select protect_tenant_table('agents');
select protect_tenant_table('tools');
select protect_tenant_table('agent_tools');
select protect_tenant_table('releases');
select protect_tenant_table('carrier_accounts', 'select, update');
select protect_tenant_table('phone_numbers');
select protect_tenant_table('suppressions', 'select, insert');
select protect_tenant_table('messages', 'select, insert, update');
select protect_tenant_table('carrier_events', 'select, insert, update');
select protect_tenant_table('lanes', 'select, insert, update');
select protect_tenant_table('conversations', 'select, update');
select protect_tenant_table('voice_calls', 'select, insert, update');
select protect_tenant_table('tool_calls', 'select, update');

-- The organization itself: its id is the tenant.
alter table organizations enable row level security;
alter table organizations force row level security;
create policy tenant on organizations to offhook_app
    using (id = (select current_organization())) with check (id = (select current_organization()));
create policy system on organizations to offhook_system using (true) with check (true);
grant select, insert, update, delete on organizations to offhook_app;
grant select on organizations to offhook_system;

-- People belong to several organizations: a tenant sees those that are its members, and makes or changes none here.
alter table users enable row level security;
alter table users force row level security;
create policy tenant on users for select to offhook_app using (
    exists (
        select 1 from memberships m
        where m.user_id = users.id and m.organization_id = (select current_organization())
    )
);
create policy system on users to offhook_system using (true) with check (true);
grant select on users to offhook_app;
grant select, insert, update on users to offhook_system;

-- The catalogue: everybody reads the operator's entries, a tenant writes only its own.
alter table platform_tools enable row level security;
alter table platform_tools force row level security;
create policy tenant_read on platform_tools for select to offhook_app
    using (organization_id is null or organization_id = (select current_organization()));
create policy tenant_insert on platform_tools for insert to offhook_app
    with check (organization_id = (select current_organization()));
create policy tenant_update on platform_tools for update to offhook_app
    using (organization_id = (select current_organization()))
    with check (organization_id = (select current_organization()));
create policy tenant_delete on platform_tools for delete to offhook_app
    using (organization_id = (select current_organization()));
create policy system on platform_tools to offhook_system using (true) with check (true);
grant select, insert, update, delete on platform_tools to offhook_app, offhook_system;
