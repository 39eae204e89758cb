"""One thin module a stage: read parameters and tables, call one function, write."""
