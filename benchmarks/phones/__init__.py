"""Room of floor 3: phones, through the demo apps.

Reading order: adb -> phone_checks -> phone -> phone_rows; phone_warnings.
"""
