"""Data sets with human ratings, each in the layout in which it is published, and generated data.

Reading order: spelling -> rows -> koniq10k and the other sets -> catalogue -> split -> view_cache, views; generated
-> generated_files.
"""
