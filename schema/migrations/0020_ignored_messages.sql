-- A turn may end in silence without a human: an automatic reply is recorded and answered by nobody. Contracts: the shorter
-- list of outcomes, which this one holds, since 1. Expands only: the release before writes outcomes of the shorter list,
-- and its readers show an outcome as it stands and count only those that they name.

ALTER TABLE turn DROP CONSTRAINT turn_outcome_is_known;
ALTER TABLE turn ADD CONSTRAINT turn_outcome_is_known
    CHECK (outcome IN ('answered', 'refused', 'escalated', 'forwarded', 'ignored', 'dead'));
