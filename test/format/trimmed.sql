-- After events.sql: the beginnings of chains are trimmed, of some twice, and work goes on.
SELECT bk_audit_trim((SELECT at FROM bk_audit WHERE resource_id = 'été/☃' AND number = 3));
SELECT 1 FROM bk_list('été/☃', type => 'incremental', max_rows => 1) b, LATERAL bk_consolidate(b.backup_id);
SELECT bk_delete(min(backup_id)) FROM bk_list('été/☃');
SELECT bk_audit_trim((SELECT at FROM bk_audit WHERE resource_id = 'été/☃' AND action = 'consolidate' ORDER BY number LIMIT 1));
SELECT bk_export(max(backup_id)) IS NULL FROM bk_list('été/☃');
SELECT bk_audit_seal();
