"""The LiveKit side: a release becomes an agent with function tools, in a room or in text.

No database and no server packages here; the API is reached through `offhook.client`. Importing this package
imports nothing else; its modules import `livekit.agents`, which costs two seconds (facts/livekit.md, section 9).
"""
