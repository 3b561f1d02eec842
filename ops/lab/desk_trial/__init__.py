"""A trial of the desk: people and customers at once, while workers and desk processes are killed, and an audit."""
