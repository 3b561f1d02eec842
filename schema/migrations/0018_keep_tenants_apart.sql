-- What puts a table under row-level security, written once for all migrations that follow. Expands only: nobody but a
-- migration calls it, and the tables of the migrations before have the same policy.

-- Put tables with a column tenant_id under forced row-level security: a statement sees the rows of the tenant that it
-- speaks for (fte.tenant), or of every tenant ('*'). Raises duplicate_object when a table has the policy already.
CREATE FUNCTION keep_tenants_apart(VARIADIC p_tables text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY p_tables LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', v_table);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', v_table);
        EXECUTE format($policy$CREATE POLICY tenant_only ON %I
            USING (tenant_id = current_setting('fte.tenant', true) OR current_setting('fte.tenant', true) = '*')$policy$, v_table);
    END LOOP;
END $$;
