"""Lambda's control plane: MiniStack's, with what we put right in it; `seam` is where the data plane comes in."""
