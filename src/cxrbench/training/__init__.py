"""The worker's side of training: models, losses, augmentation, one run from start to scores."""
