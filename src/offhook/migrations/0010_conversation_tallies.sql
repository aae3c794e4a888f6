-- Small sets per conversation, for what may happen only so often in it (tools/ports.py, Tallies).

create table conversation_tallies (
    organization_id uuid not null references organizations on delete cascade,
    conversation_id uuid not null,
    name            text not null,
    item            bytea not null,                    -- an id, or a hash keyed by the conversation
    primary key (organization_id, conversation_id, name, item),
    foreign key (organization_id, conversation_id)
        references conversations (organization_id, id) on delete cascade
);
select protect_tenant_table('conversation_tallies');

-- The items that are new, or null and nothing added where the set would pass its limit. Claims on one set wait for
-- each other; row-level security applies as to whoever calls.
create function claim_tally(organization uuid, conversation uuid, set_name text, items bytea[], set_limit int)
    returns bytea[]
    language plpgsql
    as $$
declare
    fresh bytea[];
    held int;
begin
    perform pg_advisory_xact_lock(hashtextextended(conversation::text || set_name, 0));
    select array_agg(wanted) into fresh from unnest(items) wanted where not exists (
        select 1 from conversation_tallies t
        where t.organization_id = organization and t.conversation_id = conversation
          and t.name = set_name and t.item = wanted
    );
    select count(*) into held from conversation_tallies t
    where t.organization_id = organization and t.conversation_id = conversation and t.name = set_name;
    if held + coalesce(cardinality(fresh), 0) > set_limit and fresh is not null then
        return null;
    end if;
    insert into conversation_tallies (organization_id, conversation_id, name, item)
        select organization, conversation, set_name, wanted from unnest(fresh) wanted;
    return coalesce(fresh, '{}');
end $$;
revoke execute on function claim_tally from public;
grant execute on function claim_tally to offhook_app;
