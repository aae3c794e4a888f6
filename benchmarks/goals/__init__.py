"""One module per goal. Each defines `GOAL`; a new module here is a new row of the table."""
