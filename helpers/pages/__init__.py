"""What all pages share, served or written: words, templates, colours of code, cells that no spreadsheet computes."""
