"""Room of floor 1: the model itself.

Reading order: normalise, kan -> heads -> model -> checkpoint -> import_authors;
hooks -> reference, kan_coverage -> refit_grids.
"""
