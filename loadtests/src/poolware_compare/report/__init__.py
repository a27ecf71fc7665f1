"""What a comparison leaves behind: for the terminal, as Markdown, and as one HTML page."""
