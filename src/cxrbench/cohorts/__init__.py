"""Where images come from: one file a source, and what all sources share (``found``, ``decode``, ``ingest``).

Kept empty of imports: worker processes import ``decode`` alone and start quickly.
"""
