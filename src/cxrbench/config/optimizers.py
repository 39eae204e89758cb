"""The optimizers of Keras that a setting may name, with their defaults. No pydantic here: workers read this too."""

OPTIMIZERS = ("adam", "rmsprop", "sgd", "adagrad")
