"""Simulation of a deployment on paper: how long messages wait, from rates and times alone."""
