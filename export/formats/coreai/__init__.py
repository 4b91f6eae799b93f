"""Core AI assets, .aimodel folders: Apple's format of iOS 27 and macOS 27.

Reading order: format -> convert (zeros_around, camera_function) -> read_program -> quantize.
"""
