-- Texts a business can lean on: senders and their lanes, holds, media, consent, keys of requests, alerts.

-- Senders -----------------------------------------------------------------------------------------------------------

-- A carrier's pool of senders (Twilio: messaging service, MG…; Telnyx: messaging profile): the carrier picks the number.
create table messaging_services (
    id                  uuid primary key,
    organization_id     uuid not null references organizations on delete cascade,
    carrier_account_id  uuid not null,
    external_id         text not null check (char_length(external_id) between 1 and 100),
    label               text not null default '' check (char_length(label) <= 100),
    messages_per_second double precision check (messages_per_second > 0),  -- null: the account's
    created_at          timestamptz not null default now(),
    unique (organization_id, id),
    unique (carrier_account_id, external_id),
    foreign key (organization_id, carrier_account_id) references carrier_accounts (organization_id, id)
);

alter table carrier_accounts
    -- Over all senders of the account together; null: only each sender's own pace counts.
    add column total_per_second double precision check (total_per_second > 0),
    -- For estimates, per segment and per text with media; null: the carrier's usual ones.
    add column segment_price    numeric(12, 6) check (segment_price >= 0),
    add column media_price      numeric(12, 6) check (media_price >= 0),
    add column price_currency   text not null default 'USD' check (price_currency ~ '^[A-Z]{3}$');

alter table phone_numbers
    add column messages_per_second double precision check (messages_per_second > 0);  -- null: the account's

-- Lanes -------------------------------------------------------------------------------------------------------------

-- A lane is a sender: a number in E.164 or a messaging service's external id; '' is the whole account's.
-- Texts wait in it as rows; the pump (messages/lanes.py) takes them in order of priority, each at its slot.
alter table lanes
    add column pump_at        timestamptz,              -- a job looks at the lane no later than this; null: none does
    add column backlog_until  timestamptz not null default now(),  -- an estimate: when all that waits will have gone
    add column stopped_reason text,                     -- set: the lane's texts wait until an operator starts it again
    add column stopped_at     timestamptz;

-- Messages ----------------------------------------------------------------------------------------------------------

alter table messages
    add column sender               text,               -- the lane; from_number is what the recipient sees
    add column messaging_service_id uuid,
    add column priority             smallint not null default 10,  -- 0 conversation, 10 normal, 20 campaign
    add column not_before           timestamptz,        -- held until then; null: it goes when its turn comes
    add column hold_reason          text,               -- why, as a code: quiet_hours, recipient_cap, daily_cap, carrier, …
    add column expires_at           timestamptz,        -- not sent any more after it
    add column recipient_time_zone  text,               -- IANA, where the asker knows it
    add column retry_of             uuid,               -- the text that a carrier did not deliver and this one repeats
    add column part                 smallint not null default 1 check (part between 1 and 100),
    add column parts                smallint not null default 1 check (parts >= part),
    add column media_count          smallint not null default 0,
    add column estimated_cost       numeric(12, 6),
    add column price                numeric(12, 6),     -- what the carrier says it cost
    add column price_currency       text,
    add column redacted_at          timestamptz;
update messages set sender = from_number;
alter table messages
    alter column sender set not null,
    alter column from_number drop not null,             -- unknown until a messaging service has picked one
    alter column slot_reserved drop not null,
    add foreign key (organization_id, messaging_service_id) references messaging_services (organization_id, id),
    add foreign key (organization_id, retry_of) references messages (organization_id, id) on delete set null (retry_of);

-- What the pump takes next, and what becomes due: held texts are not read over and over.
create index messages_ready_idx on messages (carrier_account_id, sender, priority, id)
    where status = 'queued' and not_before is null;
create index messages_held_idx on messages (carrier_account_id, sender, not_before)
    where status = 'queued' and not_before is not null;
-- Opt-outs cancel what is queued for a number; caps count what went to it.
create index messages_queued_to_idx on messages (organization_id, to_number) where status = 'queued';
create index messages_to_number_idx on messages (organization_id, to_number, attempt_started_at)
    where direction = 'outbound' and attempt_started_at is not null;
create index messages_from_number_idx on messages (organization_id, from_number, created_at)
    where direction = 'inbound';
create index messages_started_idx on messages (organization_id, attempt_started_at)
    where direction = 'outbound' and attempt_started_at is not null;

-- Media -------------------------------------------------------------------------------------------------------------

-- What a text carries besides words. The bytes are in the media store (files or S3), under the row's id.
create table media (
    id              uuid primary key,
    organization_id uuid not null references organizations on delete cascade,
    origin          text not null check (origin in ('upload', 'inbound')),
    content_type    text not null check (char_length(content_type) <= 100),
    size_bytes      bigint not null check (size_bytes >= 0),
    sha256          bytea not null,
    filename        text check (char_length(filename) <= 200),
    created_at      timestamptz not null default now(),
    erased_at       timestamptz,                        -- the bytes are gone; the row stays for its messages
    unique (organization_id, id)
);
create index media_organization_id_idx on media (organization_id, created_at desc);

create table message_media (
    organization_id uuid not null references organizations on delete cascade,
    message_id      uuid not null,
    position        smallint not null check (position between 0 and 9),
    media_id        uuid,                               -- ours, or
    url             text,                               -- somebody else's
    content_type    text not null,
    size_bytes      bigint,                             -- null: its server did not say
    note            text,                               -- of an inbound one: why we have not got it
    primary key (organization_id, message_id, position),
    check (media_id is null or url is null),            -- neither: the address was erased
    foreign key (organization_id, message_id) references messages (organization_id, id) on delete cascade,
    foreign key (organization_id, media_id) references media (organization_id, id)
);
create index message_media_media_id_idx on message_media (media_id) where media_id is not null;

-- Consent -----------------------------------------------------------------------------------------------------------

-- Who asked for what, when and how: the record behind the suppression list. Nothing here is changed or deleted.
create table consent_events (
    id              uuid primary key,
    organization_id uuid not null references organizations on delete cascade,
    number          text not null,
    kind            text not null check (kind in ('opt_out', 'opt_in', 'help')),
    how             text not null,                      -- keyword, free_form, opt_out_type, carrier, operator
    channel         text not null default 'sms',
    message_id      uuid,                               -- the text that said so
    created_at      timestamptz not null default now(),
    unique (organization_id, id),
    foreign key (organization_id, message_id) references messages (organization_id, id) on delete set null (message_id)
);
create index consent_events_number_idx on consent_events (organization_id, number, created_at desc);

-- Alerts ------------------------------------------------------------------------------------------------------------

-- What an operator must act on, once per matter however often it happens.
create table alerts (
    id              uuid primary key,
    organization_id uuid not null references organizations on delete cascade,
    kind            text not null,                      -- account_stopped, sender_stopped, filtered, …
    subject         text not null,                      -- what it is about: an id or a sender
    sentence        text not null,
    seen_count      int not null default 1,
    first_at        timestamptz not null default now(),
    last_at         timestamptz not null default now(),
    resolved_at     timestamptz,
    unique (organization_id, id)
);
create unique index alerts_open_idx on alerts (organization_id, kind, subject) where resolved_at is null;
create index alerts_organization_id_idx on alerts (organization_id, last_at desc);

-- Requests that carry an Idempotency-Key ----------------------------------------------------------------------------

create table idempotency_keys (
    organization_id uuid not null references organizations on delete cascade,
    key_hash        bytea not null,                     -- SHA-256 of the key
    id              uuid not null,                      -- names the wish: what is placed under it is placed once
    request_hash    bytea not null,                     -- SHA-256 of method, path and body
    locked_until    timestamptz,                        -- somebody is working on it
    status          int,                                -- null: not answered yet
    answer          bytea,
    content_type    text,
    created_at      timestamptz not null default now(),
    expires_at      timestamptz not null default now() + interval '24 hours',
    primary key (organization_id, key_hash)
);
create index idempotency_keys_expires_at_idx on idempotency_keys (expires_at);

select protect_tenant_table('messaging_services', 'select');
select protect_tenant_table('media', 'select, insert, update');
select protect_tenant_table('message_media', 'select, insert, update');
select protect_tenant_table('consent_events', 'select, insert');
select protect_tenant_table('alerts', 'select, insert, update');
select protect_tenant_table('idempotency_keys', 'select, insert, update, delete');
grant delete on suppressions to offhook_system;
