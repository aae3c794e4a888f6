-- Carrier events are forgotten a while after they were handled (telephony/carrier_events.py).

create index carrier_events_handled_at_idx on carrier_events (handled_at) where handled_at is not null;
grant delete on carrier_events to offhook_system;
