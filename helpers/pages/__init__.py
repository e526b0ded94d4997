"""What all pages share, served or written: words from a catalogue, templates, code with colours, and safe cells."""
