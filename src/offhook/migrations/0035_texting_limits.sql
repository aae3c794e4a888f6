-- What an organization has sent in a calendar day of its own, so that its daily limit need not be summed up per text.
create table texting_days (
    organization_id uuid not null references organizations on delete cascade,
    day             date not null,
    segments        bigint not null check (segments >= 0),
    primary key (organization_id, day)
);
select protect_tenant_table('texting_days', 'select, insert, update');

-- Whether somebody is on a call with us: quiet hours do not hold texts that were asked for during it.
create index voice_calls_client_phone_idx on voice_calls (organization_id, client_phone, opened_at)
    where client_phone is not null;
