"""Reading drawings with a model, without TensorFlow. LiteRT is imported here and nowhere else."""
