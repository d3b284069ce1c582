"""What a generation is trained on: one way a file."""
