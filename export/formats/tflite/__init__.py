"""TFLite files for LiteRT. Reading order: format -> convert -> quantize."""
