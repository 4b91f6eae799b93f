"""Room of floor 3: rows -> figures -> sentences -> a page.

Reading order: report_folder, row_matching -> number_format -> summary -> conclusions -> mac_tables, memory_tables,
precision_tables, tables -> svg, plots -> page -> report; compare.
"""
