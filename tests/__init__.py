"""The tests: unit, integration, acceptance, chaos, architecture."""
