"""How long from a file to a trained, evaluated, saved model, beside plain PyTorch?"""
