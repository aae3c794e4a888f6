-- The bytes of media are not in this database, so deleting rows, one by one or with their organization or messages,
-- must be told to whoever keeps the bytes: a job looks at each medium that lost its row or its message
-- (telephony/media/library.py).
create function review_media() returns trigger
    language plpgsql
    set search_path from current
    as $$
declare
    -- Of the two tables, only one has the column media_id.
    gone jsonb := to_jsonb(old);
begin
    insert into pgqueuer (priority, entrypoint, payload, execute_after, status)
    values (
        0, 'media.review',
        convert_to(
            json_build_object(
                'organization_id', old.organization_id, 'media_id', coalesce(gone ->> 'media_id', gone ->> 'id')
            )::text,
            'UTF8'
        ),
        now(), 'queued'
    );
    return null;
end $$;

create trigger review_deleted_media after delete on media
    for each row execute function review_media();
create trigger review_media_of_deleted_messages after delete on message_media
    for each row when (old.media_id is not null) execute function review_media();
