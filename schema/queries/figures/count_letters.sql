-- Count the dead letters by what became of them. Takes nothing. Returns state, letters.
SELECT state, count(*) AS letters FROM dead_letter GROUP BY state
