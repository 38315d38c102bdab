"""Sections of the report: each module reads the files of one component and says what they hold."""
