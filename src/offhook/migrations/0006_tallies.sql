-- Small sets per conversation: what may happen only so often in it (guards of tool calls).

create table tallies (
    organization_id uuid not null references organizations on delete cascade,
    conversation_id uuid not null,
    name            text not null,
    item            bytea not null,                    -- a hash or an id, never the thing itself
    created_at      timestamptz not null default now(),
    primary key (organization_id, conversation_id, name, item),
    foreign key (organization_id, conversation_id)
        references conversations (organization_id, id) on delete cascade
);
select protect_tenant_table('tallies');
