"""From a recurrent state to an output."""
