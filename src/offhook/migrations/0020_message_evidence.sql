-- What retries and reconciliation need to know about a message.

-- Attempts that ended in an unknown outcome: only so many, then somebody must look.
alter table messages add column unknown_attempts int not null default 0;

-- Whether `send_at` is a slot that its lane reserved. False while a refused attempt waits: it takes a slot when its
-- pause is over, because reserving one so far ahead would hold everybody else's texts up.
alter table messages add column slot_reserved boolean not null default true;

-- Twins: texts of the same words to the same person that may be in flight.
create index messages_in_flight_idx on messages (carrier_account_id, to_number, from_number)
    where status = 'sending' and carrier_message_id is null;
