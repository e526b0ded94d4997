"""Files and folders that are whole, whatever happens while they are written: anew, at the end, or between marks."""
