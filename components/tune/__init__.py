"""Tuning: the search for better values of model, window and training keys, on the validation split.

KerasTuner's oracles (O'Malley et al., 2019) say what to try next: random search (Bergstra and
Bengio, 2012), Hyperband (Li et al., 2018), or Bayesian optimisation with a Gaussian process (Snoek
et al., 2012). What is tried, in which process, for how long, and what a kill leaves, is ours.
"""
