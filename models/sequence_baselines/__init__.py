"""Models that a recurrent network over whole sequences has to beat."""
