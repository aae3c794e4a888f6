-- Organizations, people, keys. Run as offhook_owner, in schema offhook.
-- Row-level security is enabled AND forced everywhere; `offhook.current_organization()` is null without a tenant
-- transaction, so that a forgotten door shows nothing.

create function current_organization() returns uuid
    language sql stable
    as $$ select nullif(current_setting('app.organization_id', true), '')::uuid $$;

create function touch_updated_at() returns trigger
    language plpgsql
    as $$ begin new.updated_at := now(); return new; end $$;

create table organizations (
    id          uuid primary key,
    name        text not null check (char_length(name) between 1 and 100),
    -- One 256-bit data key per organization, wrapped by the deployment's key ring; deleting it shreds every secret.
    data_key    bytea,
    -- Policy as data: destination countries, allowed numbers, caps. Shapes: telephony/consent.py, tools/guards.py.
    settings    jsonb not null default '{}',
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now()
);
create trigger update_organizations_updated_at before update on organizations
    for each row execute function touch_updated_at();

create table users (
    id          uuid primary key,
    email       text not null unique check (char_length(email) between 3 and 254),
    name        text not null default '',
    created_at  timestamptz not null default now()
);

create table memberships (
    organization_id uuid not null references organizations on delete cascade,
    user_id         uuid not null references users on delete cascade,
    role            text not null check (role in ('owner', 'admin', 'editor', 'viewer')),
    created_at      timestamptz not null default now(),
    primary key (organization_id, user_id)
);

create table api_keys (
    id              uuid primary key,
    organization_id uuid not null references organizations on delete cascade,
    name            text not null check (char_length(name) between 1 and 100),
    key_hash        bytea not null,               -- HMAC-SHA256(pepper, secret part)
    last4           text not null,
    scopes          text[] not null check (scopes <@ array['admin', 'worker', 'read'] and cardinality(scopes) > 0),
    expires_at      timestamptz,
    revoked_at      timestamptz,
    created_at      timestamptz not null default now(),
    unique (organization_id, id)
);
create index api_keys_organization_id_idx on api_keys (organization_id);
