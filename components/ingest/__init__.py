"""Ingestion: files or a database table in, sorted and validated Parquet Examples out."""
