"""Many photos: one unit of work, the processes that share it out, and the tables that nothing is lost from.

Reading order: row (what is said of one photo) -> work (a photo in, a row out) -> workers (side by side) -> table_files
(CSV, JSON lines, Parquet) -> about -> score_table (a table that grows, and goes on after anything) -> summary.
On more than one machine: photo_uris -> photo_listing -> ray_actor -> ray_cluster -> score_folder -> ray_data.
"""
