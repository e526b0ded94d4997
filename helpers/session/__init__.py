"""What the reader does is kept here: where they are, what they predicted, measured, tried and solved."""
