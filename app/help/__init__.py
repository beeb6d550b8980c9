"""使用帮助: short pages in the words of the screen."""
