"""Where images come from: one file a source, and what all readers share (``listing``, ``source_table``, ``ingest``)."""
