"""The scorer as one ONNX graph: data that any runtime can score with, proven to be what its fit makes."""
