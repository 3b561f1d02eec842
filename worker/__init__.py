"""How a turn happens: the Celery app, the mailbox, the pipeline and the agents."""
