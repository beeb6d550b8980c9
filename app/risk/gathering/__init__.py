"""What the model may look at: facts, features and labels, and the register of data that may be used."""
