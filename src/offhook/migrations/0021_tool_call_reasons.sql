-- Why a tool call failed, in the operator's words: no payload, no whole phone number. The model is never told it.

alter table tool_calls add column error_detail text;
