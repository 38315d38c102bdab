"""Ingestion of sequences: tables to Parquet Examples, a row per sequence."""
