-- Carrier accounts, numbers, messages, opt-outs, carrier events, lanes.

create table carrier_accounts (
    id                  uuid primary key,              -- also the opaque id in webhook URLs
    organization_id     uuid not null references organizations on delete cascade,
    carrier             text not null,                 -- a registered carrier's name
    label               text not null default '' check (char_length(label) <= 100),
    external_account_id text not null,                 -- the vendor's own id (Twilio: AC…)
    base_url            text,                          -- null: the vendor's; else an emulator
    credentials         bytea not null,                -- sealed
    messages_per_second double precision not null default 1 check (messages_per_second > 0),
    stopped_reason      text,                          -- set: nothing is sent until an operator clears it
    created_at          timestamptz not null default now(),
    updated_at          timestamptz not null default now(),
    unique (organization_id, id),
    unique (organization_id, carrier, external_account_id)
);
create trigger update_carrier_accounts_updated_at before update on carrier_accounts
    for each row execute function touch_updated_at();

create table phone_numbers (
    id                 uuid primary key,
    organization_id    uuid not null references organizations on delete cascade,
    number             text not null check (number ~ '^\+[1-9][0-9]{6,14}$'),
    label              text not null default '' check (char_length(label) <= 100),
    carrier_account_id uuid,
    agent_id           uuid,                           -- who answers it
    created_at         timestamptz not null default now(),
    unique (organization_id, id),
    unique (organization_id, number),
    foreign key (organization_id, carrier_account_id) references carrier_accounts (organization_id, id),
    foreign key (organization_id, agent_id) references agents (organization_id, id) on delete set null (agent_id)
);
create index phone_numbers_number_idx on phone_numbers (number, created_at);

create table suppressions (
    organization_id uuid not null references organizations on delete cascade,
    number          text not null,
    reason          text not null,                     -- 'carrier' (21610), 'operator', 'keyword'
    created_at      timestamptz not null default now(),
    primary key (organization_id, number)
);

-- Statuses form a partial order; the rank makes "only forward" a rule of the database.
create function message_status_rank(status text) returns int
    language sql immutable
    as $$ select case status
        when 'queued' then 10 when 'sending' then 20 when 'accepted' then 30 when 'sent' then 40
        when 'delivered' then 60 when 'undelivered' then 60 when 'failed' then 60 when 'canceled' then 60
        when 'received' then 60 end $$;

create table messages (
    id                    uuid primary key,            -- also the operation id in the status callback's URL
    organization_id       uuid not null references organizations on delete cascade,
    direction             text not null check (direction in ('outbound', 'inbound')),
    origin                text not null check (origin in ('api', 'tool', 'livekit', 'carrier')),
    operation_id          text,                        -- what the asker calls it: asked twice, placed once
    conversation_id       uuid,
    carrier_account_id    uuid not null,
    from_number           text not null,
    to_number             text not null,
    body                  text not null,
    encoding              text not null check (encoding in ('GSM-7', 'UCS-2')),
    segments              int not null check (segments >= 0),
    status                text not null check (message_status_rank(status) is not null),
    carrier_message_id    text,
    attempt               int not null default 0,
    attempt_started_at    timestamptz,
    send_at               timestamptz not null default now(),  -- the slot its lane reserved
    -- The outcome of the last attempt is not known: evidence is gathered by listings before anything is sent again.
    outcome_unknown_since timestamptz,
    empty_listings        int not null default 0,
    last_listing_at       timestamptz,
    error_code            text,                        -- the vendor's code, as it gave it
    decision              text,                        -- what we did about it, in a sentence
    created_at            timestamptz not null default now(),
    updated_at            timestamptz not null default now(),
    sent_at               timestamptz,
    finished_at           timestamptz,
    unique (organization_id, id),
    unique (organization_id, operation_id),
    unique (carrier_account_id, carrier_message_id),
    foreign key (organization_id, carrier_account_id) references carrier_accounts (organization_id, id)
);
create index messages_organization_id_idx on messages (organization_id, created_at desc);
create index messages_conversation_id_idx on messages (conversation_id) where conversation_id is not null;
create index messages_unknown_idx on messages (outcome_unknown_since) where outcome_unknown_since is not null;
create trigger update_messages_updated_at before update on messages
    for each row execute function touch_updated_at();

create function message_status_forward() returns trigger
    language plpgsql
    as $$
begin
    if message_status_rank(new.status) < message_status_rank(old.status)
        or (message_status_rank(old.status) = 60 and new.status <> old.status)
    then
        -- The one way back: an attempt that is known not to have been carried out is queued again.
        if not (old.status = 'sending' and new.status = 'queued') then
            raise check_violation using message =
                format('a message does not go from %s back to %s', old.status, new.status);
        end if;
    end if;
    return new;
end $$;
create trigger check_messages_status_forward before update of status on messages
    for each row execute function message_status_forward();

-- Carrier events: stored once, handled once.
create table carrier_events (
    id                 uuid primary key,
    organization_id    uuid not null references organizations on delete cascade,
    carrier_account_id uuid not null,
    external_id        text not null,                  -- the vendor's id of the event, or (sid, status)
    kind               text not null,
    payload            jsonb not null,
    received_at        timestamptz not null default now(),
    handled_at         timestamptz,
    unique (organization_id, id),
    unique (carrier_account_id, external_id),
    foreign key (organization_id, carrier_account_id)
        references carrier_accounts (organization_id, id) on delete cascade
);

-- Pace: one row per sender. Taking a slot sets next_at = greatest(next_at, now) + every (a GCRA limiter that all
-- processes share, on the database's clock; facts/infrastructure.md 3.2).
create table lanes (
    organization_id    uuid not null references organizations on delete cascade,
    carrier_account_id uuid not null,
    sender             text not null,
    next_at            timestamptz not null default now(),
    primary key (carrier_account_id, sender),
    foreign key (organization_id, carrier_account_id)
        references carrier_accounts (organization_id, id) on delete cascade
);
