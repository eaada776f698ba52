DROP FUNCTION ledger_write(json, uuid[]);
