"""Alembic's door: it works on the connection that `frontispiece.migrate` hands it."""

from alembic import context

from frontispiece.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    compare_type=True,
)
context.run_migrations()
