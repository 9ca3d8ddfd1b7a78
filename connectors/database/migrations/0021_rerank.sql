-- What re-ranking by the language model changes, measured on some questions of the golden set; null where it is off:
-- {"questions", "without": {"recall5", "recall1", "mrr10"}, "with": {…}, "p95_ms", "late"}
alter table retrieval_evaluation add column rerank jsonb;
