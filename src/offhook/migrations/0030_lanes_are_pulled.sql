-- Texts are pulled from their lanes: nothing is reserved when one is placed (decisions/0010).

alter table messages drop column slot_reserved;

alter table lanes
    add column id      uuid not null default gen_random_uuid(),  -- what a job names: no number stands in the queue
    add column pump_by uuid;                                     -- whose `pump_at` it is: a text that was placed, or a pump
create unique index lanes_id_idx on lanes (id);

-- What has waited for too long, wherever it stands in its lane.
create index messages_expires_at_idx on messages (carrier_account_id, sender, expires_at)
    where status = 'queued' and expires_at is not null;

-- Jobs that sent one text each are gone; the sweep of lanes finds what they would have sent.
do $$
begin
    if to_regclass('pgqueuer') is not null then
        delete from pgqueuer where entrypoint = 'messages.send';
    end if;
end $$;

-- A text that is sent again is sent again once, whoever tells of its failure and how often.
create unique index messages_retry_of_idx on messages (organization_id, retry_of) where retry_of is not null;

-- Twins wait in one lane; a messaging service picks the number later.
drop index messages_in_flight_idx;
create index messages_in_flight_idx on messages (carrier_account_id, to_number, sender)
    where status = 'sending' and carrier_message_id is null;

grant update on suppressions to offhook_system;  -- a stronger reason replaces what stands there
