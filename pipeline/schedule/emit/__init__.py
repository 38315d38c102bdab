"""Files by which other programs start runs."""
