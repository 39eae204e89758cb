"""The parent's side of training: which runs there are, what the store holds, who trains the rest. No Keras."""
