-- A text that a carrier with idempotency keys is asked about again waits in its lane, though an attempt of it may have
-- been carried out. Whatever ends it meanwhile, it does not end as a text that was not sent.

alter table messages add column maybe_sent_since timestamptz;  -- when that attempt began; null: there is none

create or replace function message_status_forward() returns trigger
    language plpgsql
    as $$
begin
    if old.maybe_sent_since is not null and new.carrier_message_id is null
        and new.status in ('canceled', 'failed') and new.error_code is distinct from 'outcome_unknown'
    then
        new.status := 'failed';
        new.error_code := 'outcome_unknown';
        new.decision := concat_ws(' ', 'The outcome is unknown: an earlier attempt may have been carried out.',
            new.decision);
    end if;
    if message_status_rank(new.status) < message_status_rank(old.status)
        or (message_status_rank(old.status) = 60 and new.status <> old.status)
    then
        -- Back goes only an attempt that is known not to have been carried out, or that is asked for again under its
        -- key; and what was given up with its outcome unknown goes on when the carrier tells of it after all.
        if not (old.status = 'sending' and new.status = 'queued')
            and not (old.status = 'failed' and old.error_code = 'outcome_unknown' and old.carrier_message_id is null
                and new.carrier_message_id is not null)
        then
            raise check_violation using message =
                format('a message does not go from %s back to %s', old.status, new.status);
        end if;
    end if;
    return new;
end $$;
