"""Room of floor 3: Chromium as a runtime of this machine, driven through the browser app.

Reading order: chromium -> browser_worker; icc_profile -> decoding.
"""
