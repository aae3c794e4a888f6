"""Agents: what they say and know, which tools they may use, the releases their calls run on."""
