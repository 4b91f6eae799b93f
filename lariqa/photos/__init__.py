"""Room of floor 0: a photo file becomes pixels, and pixels become the model's two views.

Reading order: photo_files, photo (png_chunks, jpeg_segments, tiff_layouts, shows_through) -> decoded -> views; golden,
the picture that every language makes alike.
"""
