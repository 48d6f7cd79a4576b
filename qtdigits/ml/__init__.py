"""Networks and their training. Keras and TensorFlow are imported here and nowhere else."""
