-- A day is told by when it began: it begins at another moment when the organization changes its time zone. What stood
-- here can be counted again.
drop table texting_days;
create table texting_days (
    organization_id uuid not null references organizations on delete cascade,
    begins_at       timestamptz not null,
    segments        bigint not null check (segments >= 0),
    primary key (organization_id, begins_at)
);
select protect_tenant_table('texting_days', 'select, insert, update');
