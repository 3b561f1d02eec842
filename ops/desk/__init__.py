"""Operations of a support desk on conversations, tickets, dead letters and streams."""
