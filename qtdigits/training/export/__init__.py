"""Models for other programs: Keras, LiteRT, ONNX, safetensors."""
