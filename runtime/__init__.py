"""How a process lives: settings, pools, logs, sealing."""
