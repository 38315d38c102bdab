"""Executors of the schema and validate nodes, around those of TFX."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import tfx.components.schema_gen.executor as tfx_schema_gen  # tfx before TFDV: see validation docs
from google.protobuf import text_format
from tfx.components.example_validator import executor as tfx_validator
from tfx.components.statistics_gen import stats_artifact_utils
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils, standard_artifacts, standard_component_specs
from tfx.utils import json_utils

from components.validation.anomalies import raise_anomalies, read_anomalies
from components.validation.infer import relax
from components.validation.schema_file import FILE, parse, with_header


class SchemaExecutor(base_executor.BaseExecutor):
    """Infers a schema as TFX's SchemaGen does, or takes the one that people keep."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes `schema.pbtxt` into the Schema artifact."""
        target = Path(artifact_utils.get_single_uri(output_dict["schema"])) / FILE
        target.parent.mkdir(parents=True, exist_ok=True)
        source = Path(exec_properties["schema_file"])
        if source.exists():
            parse(source.read_text(encoding="utf-8"), source)
            shutil.copyfile(source, target)
            return
        statistics = artifact_utils.get_single_instance(input_dict["statistics"])
        inferred = standard_artifacts.Schema()
        with tempfile.TemporaryDirectory() as folder:
            inferred.uri = folder
            tfx_schema_gen.Executor().Do(
                {standard_component_specs.STATISTICS_KEY: [statistics]},
                {standard_component_specs.SCHEMA_KEY: [inferred]},
                {
                    standard_component_specs.INFER_FEATURE_SHAPE_KEY: 0,
                    standard_component_specs.EXCLUDE_SPLITS_KEY: json_utils.dumps([]),
                },
            )
            path = Path(folder) / tfx_schema_gen.DEFAULT_FILE_NAME
            schema = parse(path.read_text(), path)
        splits = artifact_utils.decode_split_names(statistics.split_names)
        relax(
            schema,
            [stats_artifact_utils.load_statistics(statistics, s).proto() for s in splits],
            json.loads(exec_properties["free"]),
        )
        body = text_format.MessageToString(schema)
        target.write_text(with_header(body, exec_properties["data_key"]), encoding="utf-8")


class ValidatorExecutor(tfx_validator.Executor):
    """TFX's validation, which stops the run when it finds an anomaly."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> Any:
        """Writes the anomalies, then raises if there are any.

        Raises:
            DataAnomalyError: With every anomaly of every split.
        """
        result = super().Do(input_dict, output_dict, exec_properties)
        folder = artifact_utils.get_single_uri(output_dict[standard_component_specs.ANOMALIES_KEY])
        raise_anomalies(read_anomalies(Path(folder)), Path(exec_properties["schema_file"]))
        return result
