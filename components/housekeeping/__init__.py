"""What a workspace holds that nothing needs any more, and its removal."""
