"""What processes must agree on: messages, ids, keys, task names, SQL, scripts, errors, settings. Pure."""
