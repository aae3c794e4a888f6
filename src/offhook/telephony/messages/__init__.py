"""Texts out: placed once, paced by their sender's lane, followed to their end."""
