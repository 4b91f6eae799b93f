"""Room of floor 0: a photo file becomes pixels, and pixels become the model's two views.

Reading order: photo_files, photo -> decoded -> views; golden, the one picture that every language makes byte for byte.
"""
