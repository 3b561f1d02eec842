-- Find the account of a mailbox. Takes address (lower case, without what follows a plus; null: none), bounce_domain (null: none).
-- Returns of_tenant, of_account; two rows where it cannot be told whose the mailbox is.
SELECT of_tenant, of_account FROM find_mail_account(%(address)s, %(bounce_domain)s)
