-- Remove an article and its sections from the transaction's tenant. Takes slug.
DELETE FROM article WHERE tenant_id = current_setting('fte.tenant') AND slug = %(slug)s
