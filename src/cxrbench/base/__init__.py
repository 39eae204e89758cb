"""What every stage may use: errors, tables, files, progress, the workspace."""
