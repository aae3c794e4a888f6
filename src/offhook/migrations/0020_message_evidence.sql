-- What reconciliation needs: how many attempts ended in an unknown outcome, and twins that may be in flight.

alter table messages add column unknown_attempts int not null default 0;

create index messages_in_flight_idx on messages (carrier_account_id, to_number, from_number)
    where status = 'sending' and carrier_message_id is null;
