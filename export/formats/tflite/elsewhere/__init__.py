"""TFLite files in other people's runtimes: which (rows), and a small script for each, run in its own environment.

Reading order: rows -> run_litert, run_litert_web.
"""
