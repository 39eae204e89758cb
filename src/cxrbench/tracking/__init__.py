"""Every run in MLflow; nothing else imports it."""
