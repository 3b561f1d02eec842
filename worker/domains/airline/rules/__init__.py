"""Decide what may be done to a booking: plain functions over plain data; time comes in as an argument.

The rules are the airline's conditions; the agents' prompts repeat some of them for the conversation's sake, but what
holds is decided here. Amounts are whole US dollars, times are aware.
"""
