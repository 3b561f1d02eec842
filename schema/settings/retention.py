"""Define the settings of how long records and streams are kept."""

from __future__ import annotations

from pydantic import Field

from schema.settings.section import Section


class RetentionSettings(Section):
    """How much of the streams is kept, and for how many days conversations, traces and usage are."""

    stream_entries_max: int = Field(
        default=100_000,
        ge=1_000,
        description="entries of one stream; what a group still lacks then comes from PostgreSQL",
    )
    stream_tail_entries_max: int = Field(
        default=1_000, ge=1, description="collected entries that a stream keeps for readers without a group"
    )
    spans_days: int = Field(default=14, ge=1, description="how long traces are kept")
    conversations_days: int = Field(
        default=90, ge=1, description="how long turns, messages and what went out are kept; legal holds stand above"
    )
    usage_days: int = Field(default=400, ge=1, description="how long each model call's usage is kept; totals stay")
    mail_thread_days: int = Field(
        default=400, ge=1, description="how long an answer to a mail finds the conversation that the mail was of"
    )
