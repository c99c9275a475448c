"""From a file of any format to text in Markdown and what the file says about itself."""
