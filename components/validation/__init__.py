"""Statistics, schema and validation of Examples with TFX.

Import tfx before tensorflow_data_validation: tfx supplies a module that some builds of it lack.
"""
