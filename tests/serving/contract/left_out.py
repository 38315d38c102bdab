"""Cases of TF Serving's tests that are not restated, and why."""

from __future__ import annotations

_MODEL_SERVER = "model_servers/tensorflow_model_server_test.py"
_CORE = "model_servers/server_core_test.cc"
_STATUS = "model_servers/get_model_status_impl_test.cc"
_METADATA = "servables/tensorflow/get_model_metadata_impl_test.cc"
_PREDICT = "servables/tensorflow/predict_impl_test.cc"
_PREDICT_UTIL = "servables/tensorflow/predict_util_test.cc"
_CLASSIFY = "servables/tensorflow/classification_service_test.cc"
_REGRESS = "servables/tensorflow/regression_service_test.cc"
_SEVERAL = "servables/tensorflow/multi_inference_helper_test.cc"
_OLD_REST = "model_servers/http_rest_prediction_handler_test.cc"
_JSON = "util/json_tensor_test.cc"
_SOURCE = "sources/storage_path/file_system_storage_path_source_test.cc"

_CXX = "calls a C++ function that no request reaches: the same with another ModelSpec"
_SESSION_BUNDLE = "SessionBundle, the format before SavedModel, is no longer read by TensorFlow"
_LITE = "TensorFlow Lite models are not served"
_ONE_PLATFORM = "there is one platform, tensorflow; a test platform cannot be plugged in"
_PATHS = "base paths are absolute; there is no flag for a folder that they are relative to"

LEFT_OUT: dict[tuple[str, str], str] = {
    (_MODEL_SERVER, "_TestBadModel"): "does not run there either: its name begins with _",
    (_MODEL_SERVER, "testPredictUpconvertedSavedModel"): _SESSION_BUNDLE,
    (_MODEL_SERVER, "testPredictSessionBundle"): _SESSION_BUNDLE,
    (_MODEL_SERVER, "testGoodGrpcChannelArgs"): "the embedded server has no such flag",
    (_MODEL_SERVER, "testPredictUDS"): "the embedded server listens on TCP alone",
    (_MODEL_SERVER, "testPredictOnTfLite"): _LITE,
    (_MODEL_SERVER, "testPredictWithSignatureDefOnTfLite"): _LITE,
    (_MODEL_SERVER, "test_profiler_service_with_valid_trace_request"): (
        "TensorFlow's profiler is not opened to clients"
    ),
    (_MODEL_SERVER, "test_tf_text"): "the operations of TF Text are not among what is installed",
    (_STATUS, "ModelSpecOverride"): _CXX,
    (_METADATA, "ModelSpecOverride"): _CXX,
    (_PREDICT, "ModelSpecOverride"): _CXX,
    (_PREDICT, "ThreadPoolFactory"): "how TensorFlow's threads are made cannot be configured",
    (_PREDICT_UTIL, "ThreadPoolOptions"): "how TensorFlow's threads are made cannot be configured",
    (_PREDICT_UTIL, "MethodNameCheck (on)"): (
        "tensorflow_model_server has it off, and so has the embedded server; off is restated"
    ),
    (_CLASSIFY, "ModelSpecOverride"): _CXX,
    (_REGRESS, "ModelSpecOverride"): _CXX,
    (_SEVERAL, "ModelSpecOverride"): _CXX,
    (_CORE, "IllegalReconfigurationFromCustomConfig"): "custom configurations are C++ plug-ins",
    (_CORE, "MultiplePlatforms"): _ONE_PLATFORM,
    (_CORE, "IllegalToChangeModelPlatform"): _ONE_PLATFORM,
    (_CORE, "RequestLoggingOff"): "requests are logged in the access log, not by LoggingConfig",
    (_CORE, "RequestLoggingOn"): "requests are logged in the access log, not by LoggingConfig",
    (_CORE, "VersionLabelsNotAllowed"): "labels cannot be turned off",
    (_CORE, "AbsoluteAndRelativePathsWithOptionsSucceed"): _PATHS,
    (_CORE, "AbsolutePathWithEmptyPathFails"): _PATHS,
    (_CORE, "RelativePathWithOptionsSucceeds"): _PATHS,
    (_OLD_REST, "UnsupportedApiCalls (GET of a model)"): (
        "older than the status of models, which http_rest_api_handler_test.cc asks for there"
    ),
    (_OLD_REST, "UnsupportedApiCalls (GET without a name)"): (
        "older than the status of models: it is still refused, in the words of the newer handler"
    ),
    (_OLD_REST, "PredictRequestErrors (integers for floats)"): (
        "older than MixedInputForFloatTensor in json_tensor_test.cc, which accepts them"
    ),
    (_JSON, "TensorFromNonNullTerminatedBuffer"): (
        "the end of a buffer in C++: bytes know their length, and what follows them is refused"
    ),
    (_SOURCE, "AttemptToChangePollingPeriod"): "the period is a flag; nothing changes it later",
    (_SOURCE, "NoVersionsAtStartup (fail_if_zero_versions_at_startup)"): (
        "the embedded server has no such flag: it waits for a version, and its health says so"
    ),
    (_SOURCE, "LastVersionNotRemoved (servable_versions_always_present)"): (
        "the embedded server has no such flag: what is taken away is no longer served"
    ),
}
"""By source file and name of the case."""
