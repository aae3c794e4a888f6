"""Conversations, the calls and tool calls that hang on them, and the gateway through which a running agent works."""
