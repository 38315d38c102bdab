"""Whether a run may be killed anywhere, again and again, and the next one still ends well."""
