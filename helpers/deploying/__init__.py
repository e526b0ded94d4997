"""Functions are made here: package() makes their zips, deploy() makes AWS hold them, wait_until() waits for it."""
