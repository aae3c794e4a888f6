-- Conversations, calls, tool calls.

create table conversations (
    id              uuid primary key,                  -- made by the client, so that opening it twice opens one
    organization_id uuid not null references organizations on delete cascade,
    agent_id        uuid not null,
    release_id      uuid not null,
    channel         text not null check (channel in ('room', 'phone', 'relay', 'sms', 'web')),
    person_number   text,                              -- signalling's word for who it is; null on the web
    our_number      text,
    variables       jsonb not null default '{}',       -- name -> {"value", "provenance"}: dispatch values, stored by tools
    opened_at       timestamptz not null default now(),
    closed_at       timestamptz,
    close_reason    text,
    unique (organization_id, id),
    foreign key (organization_id, agent_id) references agents (organization_id, id) on delete cascade,
    foreign key (organization_id, release_id) references releases (organization_id, id) on delete cascade
);
create index conversations_organization_id_idx on conversations (organization_id, opened_at desc);

alter table messages add foreign key (organization_id, conversation_id)
    references conversations (organization_id, id) on delete set null (conversation_id);

create table voice_calls (
    id               uuid primary key,
    organization_id  uuid not null references organizations on delete cascade,
    conversation_id  uuid,
    agent_id         uuid,
    room_name        text not null,
    room_sid         text,                             -- LiveKit's id of this room; names are used again, sids are not
    client_phone     text,
    our_number       text,
    participant_identity text,
    carrier_call_id  text,
    direction        text not null default 'inbound' check (direction in ('inbound', 'outbound')),
    status           text not null default 'open' check (status in ('open', 'closed')),
    opened_at        timestamptz not null default now(),
    closed_at        timestamptz,
    close_reason     text,
    unique (organization_id, id),
    unique (organization_id, room_sid),
    foreign key (organization_id, conversation_id)
        references conversations (organization_id, id) on delete set null (conversation_id),
    foreign key (organization_id, agent_id) references agents (organization_id, id) on delete set null (agent_id)
);
create index voice_calls_room_name_idx on voice_calls (organization_id, room_name, opened_at desc);

create table tool_calls (
    id                uuid not null,                   -- made by the client: sent twice, it runs once
    organization_id   uuid not null references organizations on delete cascade,
    conversation_id   uuid not null,
    tool_id           uuid,
    function_name     text not null,
    user_turn         int not null default 0,
    repeatable        text not null check (repeatable in ('yes', 'with_key', 'no')),
    status            text not null default 'started' check (status in ('started', 'done', 'failed')),
    effect            text check (effect in ('none', 'done', 'unknown')),
    arguments_hash    bytea not null,                  -- SHA-256 of the normalised arguments, keyed per conversation
    answer            bytea,                           -- sealed JSON, until answer_expires_at
    answer_expires_at timestamptz,
    error_code        text,
    duration_ms       double precision,
    started_at        timestamptz not null default now(),
    finished_at       timestamptz,
    primary key (organization_id, id),
    foreign key (organization_id, conversation_id)
        references conversations (organization_id, id) on delete cascade,
    foreign key (organization_id, tool_id) references tools (organization_id, id) on delete set null (tool_id)
);
create index tool_calls_once_idx on tool_calls (conversation_id, function_name, arguments_hash, started_at desc);
