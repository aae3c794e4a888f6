-- Agents, tools, the catalogue, the link between them, and the frozen release a call runs on.

create table agents (
    id              uuid primary key,
    organization_id uuid not null references organizations on delete cascade,
    name            text not null check (char_length(name) between 1 and 100),
    instructions    text not null default '' check (char_length(instructions) <= 60000),
    greeting        text not null default '' check (char_length(greeting) <= 2000),
    settings        jsonb not null default '{}',   -- models, time zone
    variables       jsonb not null default '[]',   -- declared variables: name, meaning, example, value
    created_at      timestamptz not null default now(),
    updated_at      timestamptz not null default now(),
    unique (organization_id, id)
);
create index agents_organization_id_idx on agents (organization_id, created_at desc);
create trigger update_agents_updated_at before update on agents
    for each row execute function touch_updated_at();

create table platform_tools (
    id                    uuid primary key,
    organization_id       uuid references organizations on delete cascade,  -- null: everybody's, the operator's to write
    name                  text not null check (name ~ '^[a-zA-Z_][a-zA-Z0-9_]{0,63}$'),
    display_name          text not null,
    description           text not null default '',
    config_schema         jsonb not null default '{}',   -- makes a form; never shown to the model
    auth_type             text not null default 'none',
    auth_config           jsonb not null default '{}',
    tool_functions_schema jsonb not null default '{"functions": []}',  -- for the model
    source                text not null check (source in ('code', 'database')),
    version               text not null default '1',
    retired_at            timestamptz,
    created_at            timestamptz not null default now(),
    updated_at            timestamptz not null default now(),
    unique nulls not distinct (organization_id, name)
);
create trigger update_platform_tools_updated_at before update on platform_tools
    for each row execute function touch_updated_at();

create table tools (
    id               uuid primary key,
    organization_id  uuid not null references organizations on delete cascade,
    name             text not null check (char_length(name) between 2 and 50),
    label            text not null default '' check (char_length(label) <= 100),
    description      text not null default '' check (char_length(description) <= 4000),
    type             text,                             -- null: a draft
    function_schema  jsonb,                            -- what the model gets
    static_config    jsonb not null default '{}',      -- what it never sees
    config_metadata  jsonb not null default '{}',      -- the whole form
    async            boolean not null default false,
    platform_tool_id uuid references platform_tools,
    created_at       timestamptz not null default now(),
    updated_at       timestamptz not null default now(),
    unique (organization_id, id),
    check (type is distinct from 'platform' or platform_tool_id is not null)
);
create index tools_organization_id_idx on tools (organization_id);
create trigger update_tools_updated_at before update on tools
    for each row execute function touch_updated_at();

-- A catalogue entry may be everybody's, so no composite foreign key can hold it: this does.
create function check_platform_tool_owner() returns trigger
    language plpgsql
    as $$
begin
    if new.platform_tool_id is not null and not exists (
        select 1 from platform_tools p
        where p.id = new.platform_tool_id
          and (p.organization_id is null or p.organization_id = new.organization_id)
    ) then
        raise foreign_key_violation using message = 'platform tool not found in this organization';
    end if;
    return new;
end $$;
create trigger check_tools_platform_tool_owner before insert or update of platform_tool_id, organization_id on tools
    for each row execute function check_platform_tool_owner();

create table agent_tools (
    id                 uuid primary key,
    organization_id    uuid not null references organizations on delete cascade,
    agent_id           uuid not null,
    tool_id            uuid not null,
    is_enabled         boolean not null default true,
    config             jsonb not null default '{}',
    sensitive_config   bytea,                          -- sealed; AAD names organization, table, row and field
    disabled_functions text[] not null default '{}',
    created_at         timestamptz not null default now(),
    unique (agent_id, tool_id),
    unique (organization_id, id),
    foreign key (organization_id, agent_id) references agents (organization_id, id) on delete cascade,
    foreign key (organization_id, tool_id) references tools (organization_id, id)
);
create index agent_tools_agent_id_idx on agent_tools (agent_id);
create index agent_tools_tool_id_idx on agent_tools (tool_id);

create table releases (
    id              uuid primary key,
    organization_id uuid not null references organizations on delete cascade,
    agent_id        uuid not null,
    digest          text not null,                     -- SHA-256 of content, hexadecimal
    content         jsonb not null,                    -- instructions, greeting, settings, functions with static config
    created_at      timestamptz not null default now(),
    unique (organization_id, id),
    unique (organization_id, agent_id, digest),
    foreign key (organization_id, agent_id) references agents (organization_id, id) on delete cascade
);
