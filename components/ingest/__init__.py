"""Ingestion: source tables to Parquet Examples, split by time."""
