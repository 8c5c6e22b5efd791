-- There is one more database to serve, once this has been committed.
SELECT backup_service.wake_worker();
