"""The operator's toolbox, and below the applications the runtime."""
