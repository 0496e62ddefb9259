"""How lists, files and repeated requests are exchanged: pages, filters, Parquet, entity tags, idempotency keys."""
