"""PostgreSQL: the two doors, migrations, the queue, the embedded server."""
