"""From metrics and verdicts to what people read: tables, figures, one page."""
