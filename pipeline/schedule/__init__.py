"""When runs start: the loop in the foreground, and files for other programs that start them."""
