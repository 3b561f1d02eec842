-- Do one act of the desk in a conversation, or say why not. Takes what the function of that name takes; that says the rest.
-- Returns `moved`: the outcome, and the conversation as it is then.
SELECT move_conversation(%(tenant)s, %(conversation)s, %(act)s, %(person)s, %(to_person)s, %(may_force)s, %(desk_version)s,
    %(position)s, %(until)s, %(lease_seconds)s, %(reason)s, %(note)s, %(request_id)s) AS moved
