"""Windows over series: definition, storage and views, without copies."""
