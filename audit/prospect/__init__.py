"""What a change brings, from what was seen before it and after it: pure."""
