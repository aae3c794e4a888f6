"""Numbered SQL, forward only. Applied by `offhook.core.db.migrate`, in schema `offhook`, as offhook_owner."""
