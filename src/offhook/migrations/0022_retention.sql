-- What the sweep of conversations looks for (conversations/retention.py), so that it reads no more than it changes.

create index tool_calls_answer_expires_at_idx on tool_calls (answer_expires_at) where answer is not null;
create index tool_calls_unexpiring_idx on tool_calls (organization_id, conversation_id)
    where answer is not null and answer_expires_at is null;
create index conversations_open_idx on conversations (opened_at) where closed_at is null;
